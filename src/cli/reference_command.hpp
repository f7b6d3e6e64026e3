// `leat reference PAGE`: the reference pages, written from the lists that the program itself reads.
#pragma once

#include <string>

namespace leat::cli {

// "configuration", "metrics" or "errors", as Markdown on stdout.
auto reference_command(const std::string& page) -> int;

}  // namespace leat::cli
