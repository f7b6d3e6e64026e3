// `leat run FILE`: runs a pipeline until it is done or told to stop.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/pipeline.hpp"

namespace leat::cli {

struct RunArguments {
    std::filesystem::path file;
    RunOptions run;
    std::vector<std::string> rebuild;  // SINK or SINK.TABLE
    std::optional<std::filesystem::path> report;  // figures of the run as JSON
    bool json = false;                            // the same on stdout at the end
};

auto run_command(const RunArguments& arguments) -> int;

}  // namespace leat::cli
