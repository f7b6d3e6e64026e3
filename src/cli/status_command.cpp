// Asks the running process, or else looks at the log; see status_command.hpp.
#include "cli/status_command.hpp"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <cstdio>

#include "cli/assemble.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress_text.hpp"
#include "config/finding.hpp"
#include "control/door.hpp"
#include "queue/log/inspect.hpp"
#include "wire/http.hpp"

namespace leat::cli {

namespace {

using boost::json::object;

auto text(const object& from, const char* key) -> std::string {
    const auto* value = from.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

auto number(const object& from, const char* key) -> double {
    const auto* value = from.if_contains(key);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

auto print_conditions(const object& status, std::int64_t wall_us) -> void {
    for (const auto& each : status.at("conditions").as_array()) {
        const auto& condition = each.as_object();
        const auto since = (static_cast<double>(wall_us) - number(condition, "since_us")) / 1e6;
        fmt::print("  {:<8} {:<17} {:<10} {:<15} for {}\n", text(condition, "status"),
                   text(condition, "type"), text(condition, "component"), text(condition, "reason"),
                   time_text(since));
        const auto code = text(condition, "code");
        if (const auto why = text(condition, "message"); !why.empty())
            fmt::print("           {}{}\n", why, code.empty() ? "" : " [" + code + "]");
        if (const auto next = text(condition, "next_step"); !next.empty())
            fmt::print("           next step: {}\n", next);
    }
}

auto print_image(const object& json) -> void {
    std::set<std::string> tables;
    for (const auto& [name, rows] : json.at("tables").as_object()) tables.insert(name);
    ImageProgress image;
    image.rows = json.at("rows").to_number<std::int64_t>();
    image.rows_estimate = json.at("rows_estimate").to_number<std::int64_t>();
    if (const auto& eta = json.at("eta_seconds"); eta.is_number())
        image.eta_seconds = eta.to_number<std::int64_t>();
    fmt::print("  {}\n", image_text(tables, image));
}

auto print_running(const object& status, std::int64_t wall_us) -> void {
    fmt::print("{}: {}, {}\n", text(status, "pipeline"), text(status, "health"),
               text(status, "phase"));
    print_conditions(status, wall_us);
    const auto& capture = status.at("capture").as_object();
    fmt::print("source: {}, {} behind\n", text(capture, "phase"),
               time_text(number(capture, "lag_seconds")));
    if (const auto& image = capture.at("image"); image.is_object()) print_image(image.get_object());
    std::string eventual;
    for (const auto& [name, table] : capture.at("tables").as_object())
        if (table.at("eventual").as_bool())
            eventual += (eventual.empty() ? "" : ", ") + std::string(name);
    if (!eventual.empty())
        fmt::print("  eventual, completed from the tables where needed: {}\n", eventual);
    const auto& queue = status.at("queue").as_object();
    fmt::print("log: {:.1f} of {:.0f} MB held\n", number(queue, "held_bytes") / 1e6,
               number(queue, "bytes_max") / 1e6);
    for (const auto& each : status.at("sinks").as_array()) {
        const auto& sink = each.as_object();
        fmt::print("sink {}: {}, {} behind, {:.0f} commits\n", text(sink, "name"),
                   text(sink, "phase"), time_text(number(sink, "lag_seconds")),
                   number(sink, "commits"));
        for (const auto& one : status.at("tables").as_array())
            if (const auto& table = one.as_object(); text(table, "sink") == text(sink, "name"))
                fmt::print("  {:<9} {:<32} {}\n", text(table, "health"), text(table, "table"),
                           text(table, "phase"));
    }
}

// What the log's own check and inspection say; it may be another process's, or not there.
auto look_at_log(const Loaded& loaded) -> object {
    object log = {{"path", loaded.queue_path.string()}};
    boost::json::array told;
    const auto check = loaded.make_queue_check();
    auto findings = check ? (*check)->check() : Result<std::vector<Finding>>(check.error());
    if (!findings) return {{"path", loaded.queue_path.string()}, {"error", findings.error().what}};
    for (const auto& finding : *findings) told.push_back(boost::json::value(finding.what));
    log["findings"] = std::move(told);
    if (!std::filesystem::exists(loaded.queue_path)) return log;
    const auto found = log_queue::inspect(loaded.queue_path, log_queue::InspectForm::json,
                                          [](std::string_view) {});
    if (!found) return log;
    log["segments"] = found->segments;
    log["frames"] = found->frames;
    log["rows"] = found->rows;
    log["bytes"] = found->bytes;
    if (found->first_defect && !found->first_defect->tail)
        log["damage"] = found->first_defect->file + ": " + found->first_defect->what;
    return log;
}

auto tell_stopped(const Loaded& loaded, bool json) -> int {
    const auto log = look_at_log(loaded);
    if (json) {
        const object answer = {{"pipeline", loaded.name}, {"running", false}, {"log", log}};
        fmt::print("{}\n", boost::json::serialize(answer));
        return exit_environment;
    }
    fmt::print("{}: no process runs this pipeline\n", loaded.name);
    if (const auto* findings = log.if_contains("findings"))
        for (const auto& finding : findings->as_array())
            fmt::print("  {}\n", std::string(finding.as_string()));
    if (const auto error = text(log, "error"); !error.empty()) fmt::print("  {}\n", error);
    if (log.contains("frames"))
        fmt::print("  it holds {:.0f} frames with {:.0f} rows, {:.1f} MB in {:.0f} files\n",
                   number(log, "frames"), number(log, "rows"), number(log, "bytes") / 1e6,
                   number(log, "segments"));
    if (const auto damage = text(log, "damage"); !damage.empty())
        fmt::print("  it is damaged: {}\n", damage);
    return exit_environment;
}

}  // namespace

auto status_command(const StatusArguments& arguments) -> int {
    const SystemClock clock;
    const auto file = load(arguments.file, clock);
    if (!file) return fail(file.error(), exit_configuration, arguments.json);
    const auto reply =
        wire::unix_http_call(file->queue_path / socket_name, {"GET", "/status", ""});
    if (!reply) return tell_stopped(*file, arguments.json);
    boost::json::error_code bad;
    auto answer = boost::json::parse(reply->body, bad);
    if (bad || !answer.is_object())
        return fail({Fault::fatal, "answer is not JSON", "", "status"}, exit_failed,
                    arguments.json);
    auto& status = answer.get_object();
    status["running"] = true;
    if (arguments.json) fmt::print("{}\n", boost::json::serialize(status));
    else print_running(status, clock.wall_us());
    return text(status, "health") == "unhealthy" ? exit_failed : exit_ok;
}

}  // namespace leat::cli
