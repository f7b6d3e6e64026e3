// Reads the letter files of a pipeline's sinks; see dead_letters_command.hpp.
#include "cli/dead_letters_command.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <array>
#include <cstdio>
#include <ctime>

#include "cli/assemble.hpp"
#include "cli/exit_code.hpp"
#include "dead_letter/letter_box.hpp"

namespace leat::cli {

namespace {

constexpr std::int64_t second_us = 1'000'000;

auto parse_time(const std::string& text) -> Result<std::optional<std::int64_t>> {
    if (text.empty()) return std::optional<std::int64_t>();
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
        std::tm time{};
        const char* const end = strptime(text.c_str(), format, &time);
        if (end != nullptr && (*end == '\0' || std::string_view(end) == "Z"))
            return std::optional(static_cast<std::int64_t>(timegm(&time)) * second_us);
    }
    return Error{Fault::config, "not a time: " + text, "Write 2026-01-31 or 2026-01-31T12:00.", "",
                 Code::run_argument};
}

auto time_text(std::int64_t us) -> std::string {
    const auto seconds = static_cast<std::time_t>(us / second_us);
    std::tm time{};
    gmtime_r(&seconds, &time);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time);
    return text.data();
}

auto filter_of(const DeadLettersArguments& arguments) -> Result<LetterFilter> {
    LetterFilter filter;
    filter.id = arguments.id;
    filter.table = arguments.table;
    filter.rule = arguments.rule;
    filter.key = arguments.key;
    filter.open_only = !arguments.all && arguments.id.empty();
    filter.from_us = TRY(parse_time(arguments.from));
    filter.until_us = TRY(parse_time(arguments.until));
    if (filter.until_us) *filter.until_us -= 1;
    return filter;
}

struct Found {
    std::string sink;
    StoredLetter stored;
};

auto find(const DeadLettersArguments& arguments) -> Result<std::vector<Found>> {
    const SystemClock clock;
    const auto loaded = TRY(load(arguments.file, clock));
    const auto filter = TRY(filter_of(arguments));
    std::vector<Found> found;
    bool known = arguments.sink.empty();
    for (const auto& sink : loaded.sinks) {
        if (!arguments.sink.empty() && sink.name != arguments.sink) continue;
        known = true;
        for (auto& stored : TRY(read_letters(letter_file(loaded.queue_path, sink.name), filter)))
            found.push_back({sink.name, std::move(stored)});
    }
    if (!known)
        return Error{Fault::config, "no such sink: " + arguments.sink,
                     "Use the name of a sink of this pipeline.", "", Code::sink_unknown};
    return found;
}

// The letters themselves are never refused by configuration: it is the file or an argument.
auto exit_of(const Error& error) -> ExitCode {
    return error.fault == Fault::config ? exit_configuration : exit_failed;
}

auto state_of(const StoredLetter& stored) -> const char* {
    return stored.superseded.empty() ? "open" : "superseded";
}

auto to_json(const Found& found, bool with_row) -> Result<boost::json::object> {
    const auto& letter = found.stored.letter;
    boost::json::object object = {{"id", found.stored.id},
                                  {"sink", found.sink},
                                  {"table", letter.target},
                                  {"source_table", to_string(letter.source)},
                                  {"schema_version", letter.version},
                                  {"state", state_of(found.stored)},
                                  {"position", found.stored.position},
                                  {"superseded_by", found.stored.superseded},
                                  {"commit_time", time_text(letter.commit_time_us)},
                                  {"op", std::string(1, static_cast<char>(letter.op))},
                                  {"reason", to_string(letter.reason)},
                                  {"rule", letter.rule},
                                  {"error", letter.text}};
    object["key"] = letter.key.empty() ? boost::json::value(boost::json::array())
                                       : boost::json::parse(letter.key);
    object["sink_holds_earlier_row"] = letter.has_base;
    if (with_row) object["row"] = boost::json::parse(TRY(row_as_json(letter.row)));
    return object;
}

auto print_table(const std::vector<Found>& found) -> void {
    std::printf("%-20s %-12s %-16s %-20s %-20s %-14s %s\n", "commit time", "sink", "table",
                "reason", "rule", "key", "id");
    for (const auto& each : found) {
        const auto& letter = each.stored.letter;
        std::printf("%-20s %-12s %-16s %-20s %-20s %-14s %s\n",
                    time_text(letter.commit_time_us).c_str(), each.sink.c_str(),
                    letter.target.c_str(), std::string(to_string(letter.reason)).c_str(),
                    letter.rule.c_str(), letter.key.c_str(), each.stored.id.c_str());
    }
}

auto in_csv(std::string_view text) -> std::string {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

auto print_csv(const std::vector<boost::json::object>& letters) -> void {
    std::string head;
    if (!letters.empty())
        for (const auto& [name, value] : letters.front())
            head += (head.empty() ? "" : ",") + std::string(name);
    if (!head.empty()) std::printf("%s\n", head.c_str());
    for (const auto& letter : letters) {
        std::string line;
        for (const auto& [name, value] : letter) {
            if (!line.empty()) line += ',';
            line += in_csv(value.is_string() ? std::string(value.get_string())
                                             : boost::json::serialize(value));
        }
        std::printf("%s\n", line.c_str());
    }
}

auto objects_of(const std::vector<Found>& found, bool with_row)
    -> Result<std::vector<boost::json::object>> {
    std::vector<boost::json::object> objects;
    for (const auto& each : found) objects.push_back(TRY(to_json(each, with_row)));
    return objects;
}

}  // namespace

auto dead_letters_list_command(const DeadLettersArguments& arguments) -> int {
    const auto found = find(arguments);
    if (!found) return fail(found.error(), exit_of(found.error()), arguments.json);
    if (!arguments.json) {
        print_table(*found);
        return exit_ok;
    }
    const auto objects = objects_of(*found, false);
    if (!objects) return fail(objects.error(), exit_failed, true);
    const boost::json::object result = {
        {"dead_letters", boost::json::array(objects->begin(), objects->end())}};
    std::printf("%s\n", boost::json::serialize(result).c_str());
    return exit_ok;
}

auto dead_letters_show_command(const DeadLettersArguments& arguments) -> int {
    const auto found = find(arguments);
    if (!found) return fail(found.error(), exit_of(found.error()), arguments.json);
    if (found->empty())
        return fail(Error{Fault::config, "no such dead letter: " + arguments.id,
                          "Take an id from `leat dead-letters list`.", "", Code::run_argument},
                    exit_configuration, arguments.json);
    const auto letter = to_json(found->front(), true);
    if (!letter) return fail(letter.error(), exit_failed, arguments.json);
    if (arguments.json) {
        std::printf("%s\n", boost::json::serialize(*letter).c_str());
        return exit_ok;
    }
    for (const auto& [name, value] : *letter)
        std::printf("%-24s %s\n", std::string(name).c_str(),
                    value.is_string() ? value.get_string().c_str()
                                      : boost::json::serialize(value).c_str());
    return exit_ok;
}

auto dead_letters_export_command(const DeadLettersArguments& arguments) -> int {
    const auto found = find(arguments);
    if (!found) return fail(found.error(), exit_of(found.error()), arguments.json);
    const auto letters = objects_of(*found, true);
    if (!letters) return fail(letters.error(), exit_failed, arguments.json);
    if (arguments.format == "csv") {
        print_csv(*letters);
        return exit_ok;
    }
    for (const auto& letter : *letters)
        std::printf("%s\n", boost::json::serialize(letter).c_str());
    return exit_ok;
}

}  // namespace leat::cli
