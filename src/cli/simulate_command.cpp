// Runs a simulation until it is over or stopped, shows it, reports; see simulate_command.hpp.
#include "cli/simulate_command.hpp"

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <utility>

#include "cli/exit_code.hpp"
#include "cli/periodic.hpp"
#include "cli/signal_watch.hpp"
#include "cli/simulate_report.hpp"
#include "config/values.hpp"
#include "observe/live_area.hpp"

namespace leat::cli {

namespace {

auto bad_argument(const std::string& what, const std::string& hint) -> Error {
    return {Fault::config, what, hint, "", Code::run_argument};
}

auto read_names(SimulateArguments& arguments) -> Result<void> {
    auto data = simulate::find_data_set(arguments.data);
    if (!data) return bad_argument("no such sample data: " + arguments.data, "Give shop or video.");
    arguments.options.data = *std::move(data);
    const auto mix = simulate::find_mix(arguments.mix);
    if (!mix) return bad_argument("no such mix: " + arguments.mix, "Give steady.");
    arguments.options.mix = *mix;
    if (!arguments.duration) return {};
    arguments.options.pace.duration = config::parse_duration(*arguments.duration);
    if (!arguments.options.pace.duration)
        return bad_argument("not a time: " + *arguments.duration, "Write 30s, 5m or 2h.");
    return {};
}

auto show(const simulate::Simulation& simulation, simulate::Look& before, bool terminal,
          double seconds) -> void {
    auto now = simulation.look();
    const auto line = simulate_line(now, before, seconds);
    if (terminal) draw_live_area({line});
    else std::fprintf(stderr, "simulate: %s\n", line.c_str());
    before = std::move(now);
}

}  // namespace

auto simulate_command(SimulateArguments arguments) -> int {
    const SignalWatch signals("the transaction");
    const SystemClock clock;
    if (const auto read = read_names(arguments); !read)
        return fail(read.error(), exit_configuration, arguments.json);
    auto simulation = simulate::Simulation::make(std::move(arguments.options), clock);
    if (!simulation) {
        const bool wrong = simulation.error().code == Code::run_argument;
        return fail(simulation.error(), wrong ? exit_configuration : exit_environment,
                    arguments.json);
    }
    const auto outcome = [&] {
        auto before = simulation->look();
        const Periodic display(
            [&](bool terminal, double seconds) { show(*simulation, before, terminal, seconds); },
            clock);
        return simulation->run(signals.token());
    }();
    if (!outcome) return fail(outcome.error(), exit_code_of(outcome.error()), arguments.json);
    const auto look = simulation->look();
    if (arguments.json) {
        std::printf("%s\n",
                    boost::json::serialize(simulate_json(look, simulation->tables())).c_str());
    } else {
        std::printf("%s", simulate_text(look, simulation->tables()).c_str());
    }
    return exit_ok;
}

}  // namespace leat::cli
