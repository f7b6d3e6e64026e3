// `leat pause|resume FILE [SINK]`: puts a sink to rest, and lets it go on.
#pragma once

#include <filesystem>
#include <string>

namespace leat::cli {

struct PauseArguments {
    std::filesystem::path file;
    std::string sink;  // empty: all
    bool json = false;
};

// Of a pipeline that does not run it is noted for the next start.
auto pause_command(const PauseArguments& arguments, bool paused) -> int;

}  // namespace leat::cli
