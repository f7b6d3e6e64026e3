// `leat status FILE`: how a running pipeline is; of one that does not run, what its log tells.
#pragma once

#include <filesystem>

namespace leat::cli {

struct StatusArguments {
    std::filesystem::path file;
    bool json = false;
};

// 0: it runs and nothing is unhealthy; 1: something is; 3: no process runs.
auto status_command(const StatusArguments& arguments) -> int;

}  // namespace leat::cli
