// Asks the running process over its socket and prints the answer in the form that was asked for.
#include "cli/query_command.hpp"

#include <boost/json.hpp>
#include <cstdio>

#include "cli/assemble.hpp"
#include "cli/exit_code.hpp"
#include "cli/reply_error.hpp"
#include "control/door.hpp"
#include "wire/http.hpp"

namespace leat::cli {

namespace {

auto text_of(const boost::json::value& value) -> std::string {
    return value.is_string() ? std::string(value.get_string()) : "";
}

auto read_answer(const boost::json::object& object) -> QueryAnswer {
    QueryAnswer answer;
    for (const auto& column : object.at("columns").as_array())
        answer.columns.push_back(text_of(column));
    for (const auto& type : object.at("types").as_array()) answer.types.push_back(text_of(type));
    for (const auto& row : object.at("rows").as_array()) {
        auto& values = answer.rows.emplace_back();
        for (const auto& value : row.as_array())
            values.push_back(value.is_null() ? std::nullopt : std::optional(text_of(value)));
    }
    answer.truncated = object.at("truncated").as_bool();
    return answer;
}

auto print(const std::string& text) -> void { std::fwrite(text.data(), 1, text.size(), stdout); }

auto print(const boost::json::object& object, QueryFormat format) -> void {
    const auto answer = read_answer(object);
    if (format == QueryFormat::csv) print(as_csv(answer));
    else if (format == QueryFormat::json) print(as_json(answer));
    else print(as_table(answer));
    if (answer.truncated && format != QueryFormat::table)
        std::fprintf(stderr, "leat: more rows than shown; add a LIMIT or aggregate\n");
}

}  // namespace

auto query_command(const QueryArguments& arguments) -> int {
    const SystemClock clock;
    const auto file = load(arguments.file, clock);
    if (!file) return fail(file.error(), exit_configuration, arguments.json);
    const bool arrow = arguments.format == QueryFormat::arrow;
    const auto target =
        "/query?sink=" + arguments.sink + (arrow && !arguments.json ? "&format=arrow" : "");
    const auto reply =
        wire::unix_http_call(file->queue_path / socket_name, {"POST", target, arguments.sql});
    if (!reply)
        return fail({Fault::config, "the pipeline is not running: " + file->name,
                     "Start it with `leat run " + arguments.file.string() +
                         "`; while it is stopped any DuckDB can open the warehouse file.",
                     "", Code::run_absent},
                    exit_environment, arguments.json);
    if (reply->status != 200) return fail(error_of(*reply), exit_failed, arguments.json);
    if (reply->content_type != "application/json") {
        print(reply->body);
        return exit_ok;
    }
    boost::json::error_code bad;
    const auto answer = boost::json::parse(reply->body, bad);
    if (bad || !answer.is_object())
        return fail({Fault::fatal, "answer is not JSON", "", "query"}, exit_failed, arguments.json);
    if (arguments.json) std::printf("%s\n", reply->body.c_str());
    else print(answer.get_object(), arguments.format);
    return exit_ok;
}

}  // namespace leat::cli
