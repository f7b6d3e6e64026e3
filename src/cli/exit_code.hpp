// What the program's exit code says, and how an error is shown. The same for every command.
#pragma once

#include "base/result.hpp"

namespace leat::cli {

enum ExitCode : int {
    exit_ok = 0,
    exit_failed = 1,         // failed while running
    exit_configuration = 2,  // the pipeline file or the arguments
    exit_environment = 3,    // something around us is missing or refuses: server, rights, files
};

// Prints the error with its next step to stderr, in JSON to stdout; returns `code`.
auto fail(const Error& error, ExitCode code, bool json) -> int;

// For errors of connectors: config means that the environment refused.
auto exit_code_of(const Error& error) -> ExitCode;

}  // namespace leat::cli
