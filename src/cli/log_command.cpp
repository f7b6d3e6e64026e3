// Prints what the log's own inspection finds; see log_command.hpp.
#include "cli/log_command.hpp"

#include <cstdio>

#include "cli/exit_code.hpp"
#include "queue/log/inspect.hpp"

namespace leat::cli {

auto log_inspect_command(const LogInspectArguments& arguments) -> int {
    const auto form = arguments.json ? log_queue::InspectForm::json : log_queue::InspectForm::text;
    const auto print = [](std::string_view piece) {
        std::fwrite(piece.data(), 1, piece.size(), stdout);
    };
    const auto found = log_queue::inspect(arguments.directory, form, print);
    if (!found) return fail(found.error(), exit_code_of(found.error()), arguments.json);
    const bool damaged = found->first_defect && !found->first_defect->tail;
    return damaged ? exit_failed : exit_ok;
}

}  // namespace leat::cli
