// The pages of all codes, one for each, in the order of the codes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/explain/page.hpp"

namespace leat::cli {

auto error_pages() -> std::span<const ErrorPage>;

// The code of this name as to_string() writes it; none when there is no such code.
auto code_of(std::string_view name) -> Code;
// In any case of letters; null when there is no such code.
auto find_page(std::string_view code) -> const ErrorPage*;
// The codes that look most like it, best first, at least one.
auto nearest_codes(std::string_view written) -> std::vector<std::string>;

auto steps_of(const ErrorPage& page) -> std::vector<std::string>;

}  // namespace leat::cli
