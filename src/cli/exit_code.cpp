// Errors on the terminal and as JSON; see exit_code.hpp.
#include "cli/exit_code.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "pipeline/policy.hpp"

namespace leat::cli {

auto fail(const Error& error, ExitCode code, bool json) -> int {
    // Errors of a file name it at the head of each line, for editors to jump to.
    const bool names_file = !error.context.empty() && error.what.starts_with(error.context + ":");
    const auto text = names_file ? error.what + "\n" + error.context + ": refused" +
                                       in_brackets(error.code)
                                 : "leat: " + describe(error);
    std::fprintf(stderr, "%s\n", text.c_str());
    if (json) {
        const boost::json::object object = {{"error", error.what},
                                            {"code", to_string(error.code)},
                                            {"context", error.context},
                                            {"hint", error.hint},
                                            {"exit_code", static_cast<int>(code)}};
        std::printf("%s\n", boost::json::serialize(object).c_str());
    }
    return code;
}

auto exit_code_of(const Error& error) -> ExitCode {
    return error.fault == Fault::config ? exit_environment : exit_failed;
}

}  // namespace leat::cli
