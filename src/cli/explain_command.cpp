// Prints pages; see explain_command.hpp.
#include "cli/explain_command.hpp"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include "cli/exit_code.hpp"
#include "cli/error_pages.hpp"

namespace leat::cli {

namespace {

constexpr std::size_t width = 80;

// Broken at spaces, each line after the first behind `indent` spaces.
auto wrapped(std::string_view text, std::size_t indent) -> std::string {
    std::string lines;
    std::size_t column = indent;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (column > indent && column + 1 + end > width) {
            lines += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            lines += ' ';
            ++column;
        }
        lines += text.substr(0, end);
        column += end;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

auto to_json(const ErrorPage& page) -> boost::json::object {
    return {{"code", to_string(page.code)},
            {"title", page.title},
            {"meaning", page.meaning},
            {"data", page.data},
            {"steps", boost::json::value_from(steps_of(page))}};
}

auto print(const ErrorPage& page) -> void {
    fmt::print("{}: {}\n\n", to_string(page.code), page.title);
    fmt::print("What it means\n  {}\n\n", wrapped(page.meaning, 2));
    fmt::print("What becomes of the data\n  {}\n\nWhat to do\n", wrapped(page.data, 2));
    int number = 0;
    for (const auto& step : steps_of(page)) fmt::print("  {}. {}\n", ++number, wrapped(step, 5));
}

auto print_list(bool json) -> void {
    if (!json) {
        for (const auto& page : error_pages())
            fmt::print("{:<20} {}\n", to_string(page.code), page.title);
        return;
    }
    boost::json::array pages;
    for (const auto& page : error_pages()) pages.push_back(to_json(page));
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"codes", std::move(pages)}}));
}

auto unknown(const std::string& written) -> Error {
    std::string names;
    for (const auto& name : nearest_codes(written)) names += (names.empty() ? "" : ", ") + name;
    return Error{Fault::config, "no such code: " + written,
                 "Did you mean one of " + names + "? `leat explain` lists all.", "",
                 Code::run_argument};
}

}  // namespace

auto explain_command(const ExplainArguments& arguments) -> int {
    if (arguments.code.empty()) {
        print_list(arguments.json);
        return exit_ok;
    }
    const auto* const page = find_page(arguments.code);
    if (page == nullptr)
        return fail(unknown(arguments.code), exit_configuration, arguments.json);
    if (arguments.json) fmt::print("{}\n", boost::json::serialize(to_json(*page)));
    else print(*page);
    return exit_ok;
}

auto errors_page() -> std::string {
    std::string text =
        "# Errors\n\nWritten by `leat reference errors`; do not edit.\n\n"
        "Every error that somebody can act on has a code that stays the same. It stands in "
        "brackets behind the message on the terminal and in the log lines, and as `code` in "
        "`--json`, in the report, and in each condition of `leat status` and `/health`. "
        "`leat explain CODE` shows the page without a network. An error without a code is a fault "
        "of leat's own: report it with its message.\n";
    for (const auto& page : error_pages()) {
        text += fmt::format("\n## {}\n\n*{}*\n\n{}\n\n**The data.** {}\n\n", to_string(page.code),
                            page.title, page.meaning, page.data);
        for (const auto& step : steps_of(page)) text += fmt::format("1. {}\n", step);
    }
    return text;
}

}  // namespace leat::cli
