// `leat reference PAGE`: the reference pages, written from the lists that the program itself reads.
#pragma once

#include <string>

namespace leat::cli {

// "configuration" or "metrics", as Markdown on stdout.
auto reference_command(const std::string& page) -> int;

}  // namespace leat::cli
