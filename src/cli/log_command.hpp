// `leat log inspect DIR`: what is in a log on disk, also while a pipeline runs on it.
#pragma once

#include <filesystem>

namespace leat::cli {

struct LogInspectArguments {
    std::filesystem::path directory;
    bool json = false;
};

auto log_inspect_command(const LogInspectArguments& arguments) -> int;

}  // namespace leat::cli
