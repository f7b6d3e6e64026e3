// `leat init FILE`: a commented pipeline file to start from.
#pragma once

#include <filesystem>

namespace leat::cli {

struct InitArguments {
    std::filesystem::path file;
    bool json = false;
};

// Never overwrites.
auto init_command(const InitArguments& arguments) -> int;

}  // namespace leat::cli
