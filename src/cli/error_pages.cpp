// Puts the pages together; see error_pages.hpp. A code without a page does not compile.
#include "cli/error_pages.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/explain/duckdb_pages.hpp"
#include "cli/explain/log_pages.hpp"
#include "cli/explain/mongodb_pages.hpp"
#include "cli/explain/pipeline_pages.hpp"
#include "cli/explain/postgres_pages.hpp"
#include "config/problems.hpp"

namespace leat::cli {

namespace {

template <std::size_t... counts>
constexpr auto joined(const std::array<ErrorPage, counts>&... parts) {
    std::array<ErrorPage, (counts + ...)> all{};
    auto at = all.begin();
    ((at = std::copy(parts.begin(), parts.end(), at)), ...);
    return all;
}

constexpr auto pages = joined(postgres_pages, mongodb_pages, log_pages, duckdb_pages, pipeline_pages);

static_assert(std::equal(pages.begin(), pages.end(), all_codes.begin(), all_codes.end(),
                         [](const ErrorPage& page, Code code) { return page.code == code; }),
              "each code has one page, in the order of the codes");

auto in_capitals(std::string_view text) -> std::string {
    std::string capitals(text);
    for (char& c : capitals) {
        if (c == '_') c = '-';
        else if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return capitals;
}

}  // namespace

auto error_pages() -> std::span<const ErrorPage> { return pages; }

auto code_of(std::string_view name) -> Code {
    const auto* const page = find_page(name);
    return page == nullptr ? Code::none : page->code;
}

auto find_page(std::string_view code) -> const ErrorPage* {
    const auto wanted = in_capitals(code);
    const auto* const found =
        std::find_if(pages.begin(), pages.end(),
                     [&](const ErrorPage& page) { return to_string(page.code) == wanted; });
    return found == pages.end() ? nullptr : found;
}

auto nearest_codes(std::string_view written) -> std::vector<std::string> {
    const auto wanted = in_capitals(written);
    std::vector<std::pair<std::size_t, std::string>> ranked;
    for (const auto& page : pages) {
        auto name = to_string(page.code);
        const bool is_part = !wanted.empty() && name.find(wanted) != std::string::npos;
        ranked.emplace_back(is_part ? 0 : config::edits(wanted, name), std::move(name));
    }
    std::sort(ranked.begin(), ranked.end());
    constexpr std::size_t shown = 3;
    std::vector<std::string> nearest;
    for (std::size_t i = 0; i < shown; ++i) nearest.push_back(ranked[i].second);
    return nearest;
}

auto steps_of(const ErrorPage& page) -> std::vector<std::string> {
    std::vector<std::string> steps;
    for (auto rest = page.steps; !rest.empty();) {
        const auto end = std::min(rest.find('\n'), rest.size());
        steps.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!page.last_way.empty()) steps.emplace_back(page.last_way);
    return steps;
}

}  // namespace leat::cli
