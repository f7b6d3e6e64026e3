// Asks the running process over its socket and prints the answer as a table or as JSON.
#include "cli/query_command.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "cli/assemble.hpp"
#include "cli/exit_code.hpp"
#include "control/door.hpp"
#include "wire/unix_http.hpp"

namespace leat::cli {

namespace {

using Row = std::vector<std::string>;

auto text_of(const boost::json::value& value) -> std::string {
    return value.is_string() ? std::string(value.get_string()) : "NULL";
}

// Code points, so that columns stand straight for most scripts.
auto width_of(const std::string& text) -> std::size_t {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

auto print_table(const boost::json::object& answer) -> void {
    std::vector<Row> lines(1);
    for (const auto& column : answer.at("columns").as_array()) lines[0].push_back(text_of(column));
    for (const auto& row : answer.at("rows").as_array()) {
        lines.emplace_back();
        for (const auto& value : row.as_array()) lines.back().push_back(text_of(value));
    }
    std::vector<std::size_t> widths(lines[0].size());
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], width_of(line[i]));
    for (std::size_t number = 0; number < lines.size(); ++number) {
        std::string text;
        for (std::size_t i = 0; i < widths.size(); ++i)
            text += lines[number][i] + std::string(widths[i] - width_of(lines[number][i]) + 2, ' ');
        text.erase(text.find_last_not_of(' ') + 1);
        std::printf("%s\n", text.c_str());
        if (number == 0) {
            for (const auto width : widths) std::printf("%s  ", std::string(width, '-').c_str());
            std::printf("\n");
        }
    }
    if (answer.at("truncated").as_bool())
        std::fprintf(stderr, "leat: more rows than shown; add a LIMIT or aggregate\n");
}

auto error_of(const boost::json::object& answer) -> Error {
    const auto* what = answer.if_contains("error");
    const auto* hint = answer.if_contains("hint");
    return Error{Fault::config, what == nullptr ? "answer without rows" : text_of(*what),
                 hint == nullptr ? "" : text_of(*hint), "query"};
}

}  // namespace

auto query_command(const QueryArguments& arguments) -> int {
    const SystemClock clock;
    const auto file = load(arguments.file, clock);
    if (!file) return fail(file.error(), exit_configuration, arguments.json);
    const auto target = arguments.sink.empty() ? "/query" : "/query?sink=" + arguments.sink;
    const auto reply =
        wire::unix_http_call(file->queue_path / socket_name, {"POST", target, arguments.sql});
    if (!reply)
        return fail({Fault::config, "the pipeline is not running: " + file->name,
                     "Start it with `leat run " + arguments.file.string() +
                         "`; while it is stopped any DuckDB can open the warehouse file.",
                     ""},
                    exit_environment, arguments.json);
    boost::json::error_code bad;
    const auto answer = boost::json::parse(reply->body, bad);
    if (bad || !answer.is_object())
        return fail({Fault::fatal, "answer is not JSON", "", "query"}, exit_failed, arguments.json);
    if (reply->status != 200)
        return fail(error_of(answer.get_object()), exit_failed, arguments.json);
    if (arguments.json) std::printf("%s\n", reply->body.c_str());
    else print_table(answer.get_object());
    return exit_ok;
}

}  // namespace leat::cli
