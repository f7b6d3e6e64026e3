// Removes what a pipeline left at its source, then its log; see drop_command.hpp.
#include "cli/drop_command.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>

#include "cli/assemble.hpp"
#include "cli/exit_code.hpp"

namespace leat::cli {

namespace {

auto confirmed(const Loaded& loaded) -> bool {
    std::fprintf(stderr,
                 "Remove slot, publication and the log in %s of pipeline %s? The warehouse stays.\n"
                 "Type the pipeline's name to go on: ",
                 loaded.queue_path.c_str(), loaded.name.c_str());
    std::string answer;
    std::getline(std::cin, answer);
    return answer == loaded.name;
}

// Opening the queue proves that the pipeline does not run and that the folder is its own. One that
// is damaged cannot be opened, and must go all the same.
auto claim_queue(const Loaded& loaded) -> Result<void> {
    const auto opened = loaded.make_queue();
    if (opened) return {};
    if (opened.error().fault != Fault::fatal) return opened.error();
    const auto look = TRY(loaded.make_queue_check());
    for (const auto& finding : TRY(look->check()))
        if (finding.severity == Severity::problem)
            return Error{Fault::config, finding.what, finding.remedy, loaded.queue_path.string(),
                         finding.code};
    return {};
}

// Source first: when it fails the log is still there, and the command can be repeated.
auto drop(const Loaded& loaded) -> Result<std::vector<std::string>> {
    const bool has_log = std::filesystem::exists(loaded.queue_path);
    if (has_log) TRY(claim_queue(loaded));
    const auto source = TRY(loaded.make_source());
    std::vector<std::string> removed;
    if (auto* removable = dynamic_cast<Removable*>(source.get())) removed = TRY(removable->remove());
    if (!has_log) return removed;
    std::error_code error;
    std::filesystem::remove_all(loaded.queue_path, error);
    if (error)
        return Error{Fault::config, "log cannot be removed: " + error.message(),
                     "Remove the folder by hand.", loaded.queue_path.string(), Code::run_folder};
    removed.push_back("log " + loaded.queue_path.string());
    return removed;
}

}  // namespace

auto drop_command(const DropArguments& arguments) -> int {
    const SystemClock clock;
    const auto loaded = load(arguments.file, clock);
    if (!loaded) return fail(loaded.error(), exit_configuration, arguments.json);
    if (!arguments.yes && !confirmed(*loaded))
        return fail({Fault::config, "nothing was removed", "Confirm, or give --yes.", "",
                     Code::run_argument},
                    exit_failed, arguments.json);
    const auto removed = drop(*loaded);
    if (!removed) return fail(removed.error(), exit_code_of(removed.error()), arguments.json);
    if (arguments.json) {
        boost::json::array list;
        for (const auto& line : *removed) list.emplace_back(line);
        const boost::json::object object = {{"removed", std::move(list)}};
        std::printf("%s\n", boost::json::serialize(object).c_str());
        return exit_ok;
    }
    for (const auto& line : *removed) std::printf("removed %s\n", line.c_str());
    if (removed->empty()) std::printf("nothing was left to remove\n");
    else std::printf("the warehouse stays; move it away before this pipeline is run again\n");
    return exit_ok;
}

}  // namespace leat::cli
