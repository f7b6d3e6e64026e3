// Asks the running process, or else leaves a note; see pause_command.hpp.
#include "cli/pause_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

#include "cli/assemble.hpp"
#include "cli/exit_code.hpp"
#include "cli/reply_error.hpp"
#include "control/door.hpp"
#include "pipeline/pauses.hpp"
#include "wire/http.hpp"

namespace leat::cli {

namespace {

auto has_sink(const Loaded& loaded, const std::string& name) -> bool {
    return std::any_of(loaded.sinks.begin(), loaded.sinks.end(),
                       [&](const SinkEntry& sink) { return sink.name == name; });
}

// A table cannot rest alone: a sink stands at one place in the log, and rows that waited there would
// hold back all that come after them, or be passed over.
auto check_sink(const Loaded& loaded, const std::string& name) -> Result<void> {
    if (name.empty() || has_sink(loaded, name)) return {};
    const auto sink = name.substr(0, name.find('.'));
    if (sink != name && has_sink(loaded, sink))
        return Error{Fault::config,
                     "a table cannot be paused alone: a sink has one place in the log, where its "
                     "rows would hold back those of every other table",
                     "Pause the whole sink: `leat pause FILE " + sink + "`.", name,
                     Code::sink_unknown};
    return Error{Fault::config, "no such sink: " + name, "Use the name of a sink of this pipeline.",
                 "", Code::sink_unknown};
}

auto note(const Loaded& loaded, const std::string& name, bool paused) -> Result<void> {
    for (const auto& sink : loaded.sinks)
        if (name.empty() || sink.name == name)
            TRY(write_pause(pauses_folder(loaded), sink.name, paused));
    return {};
}

}  // namespace

auto pause_command(const PauseArguments& arguments, bool paused) -> int {
    const SystemClock clock;
    const auto loaded = load(arguments.file, clock);
    if (!loaded) return fail(loaded.error(), exit_configuration, arguments.json);
    if (const auto known = check_sink(*loaded, arguments.sink); !known)
        return fail(known.error(), exit_failed, arguments.json);
    const auto target =
        std::string(paused ? "/pause" : "/resume") +
        (arguments.sink.empty() ? "" : "?sink=" + arguments.sink);
    const auto reply =
        wire::unix_http_call(loaded->queue_path / socket_name, {"POST", target, ""});
    if (reply && reply->status != 200) return fail(error_of(*reply), exit_failed, arguments.json);
    if (!reply)
        if (const auto noted = note(*loaded, arguments.sink, paused); !noted)
            return fail(noted.error(), exit_environment, arguments.json);
    const boost::json::object answer = {{"paused", paused}, {"running", reply.has_value()}};
    if (arguments.json) fmt::print("{}\n", boost::json::serialize(answer));
    else
        fmt::print("{} {}{}\n", arguments.sink.empty() ? "all sinks" : arguments.sink,
                   paused ? "paused" : "resumed",
                   reply ? "" : ", from the next start on: no process runs now");
    return exit_ok;
}

}  // namespace leat::cli
