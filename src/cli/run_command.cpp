// Runs a pipeline: signals stop it, the display shows it, the report says how it went.
#include "cli/run_command.hpp"

#include <sys/resource.h>

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <fstream>

#include "cli/assemble.hpp"
#include "cli/display.hpp"
#include "cli/exit_code.hpp"
#include "cli/signal_watch.hpp"
#include "control/door.hpp"
#include "control/status_json.hpp"

namespace leat::cli {

namespace {

auto seconds_of(const timeval& time) -> double {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

auto report_of(const Pipeline& pipeline, const Result<void>& outcome, double seconds)
    -> boost::json::object {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto report = to_json(pipeline.status());
    report["seconds"] = seconds;
    report["cpu_seconds"] = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    report["peak_rss_bytes"] = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
    report["result"] = outcome ? "ok" : "failed";
    if (!outcome) {
        report["error"] = outcome.error().what;
        report["code"] = to_string(outcome.error().code);
    }
    return report;
}

auto write_report(const std::filesystem::path& path, const std::string& text) -> Result<void> {
    std::ofstream file(path);
    file << text << '\n';
    file.close();
    if (!file)
        return Error{Fault::config, "report cannot be written", "Give a path in a writable folder.",
                     path.string(), Code::run_output};
    return {};
}

}  // namespace

auto run_command(const RunArguments& arguments) -> int {
    const SignalWatch signals("the epoch");
    const SystemClock clock;
    const auto started = clock.steady();
    auto file = load(arguments.file, clock);
    if (!file) return fail(file.error(), exit_configuration, arguments.json);
    auto parts = assemble(*file);
    if (!parts) return fail(parts.error(), exit_code_of(parts.error()), arguments.json);

    if (!arguments.rebuild.empty() && arguments.run.only == Only::deliver)
        return fail({Fault::config, "--rebuild reads the source, and --only deliver does not",
                     "Leave one of the two away.", "", Code::run_argument},
                    exit_configuration, arguments.json);
    for (const auto& text : arguments.rebuild) {
        auto request = rebuild_request(*file, text);
        if (!request) return fail(request.error(), exit_configuration, arguments.json);
        parts->rebuilds.push_back(std::move(*request));
    }
    Pipeline pipeline(std::move(*parts), clock);
    const auto door = open_door(
        pipeline, {file->queue_path / socket_name, file->listen, LEAT_VERSION});
    if (!door) return fail(door.error(), exit_code_of(door.error()), arguments.json);
    const auto outcome = [&] {
        const Display display([&] { return pipeline.status(); }, clock);
        return pipeline.run(arguments.run, signals.token());
    }();

    const auto seconds = std::chrono::duration<double>(clock.steady() - started).count();
    const auto report = boost::json::serialize(report_of(pipeline, outcome, seconds));
    if (arguments.report)
        if (const auto written = write_report(*arguments.report, report); !written)
            return fail(written.error(), exit_environment, arguments.json);
    if (!outcome) return fail(outcome.error(), exit_code_of(outcome.error()), arguments.json);
    if (arguments.json) std::printf("%s\n", report.c_str());
    return exit_ok;
}

}  // namespace leat::cli
