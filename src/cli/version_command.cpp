// Versions; see version_command.hpp.
#include "cli/version_command.hpp"

#include <arrow/config.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "base/failpoint.hpp"
#include "cli/exit_code.hpp"

namespace leat::cli {

auto version_command(bool json) -> int {
    const auto& arrow = arrow::GetBuildInfo();
    if (!json) {
        std::printf("leat %s (arrow %s)\n", LEAT_VERSION, arrow.version_string.c_str());
        return exit_ok;
    }
    boost::json::array failpoints;
    for (const auto name : failpoint_names()) failpoints.emplace_back(name);
    const boost::json::object object = {{"version", LEAT_VERSION},
                                        {"arrow", arrow.version_string},
                                        {"failpoints", std::move(failpoints)}};
    std::printf("%s\n", boost::json::serialize(object).c_str());
    return exit_ok;
}

}  // namespace leat::cli
