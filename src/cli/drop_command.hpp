// `leat drop FILE`: forgets a pipeline for good. A slot that nobody reads fills the source's disk.
#pragma once

#include <filesystem>

namespace leat::cli {

struct DropArguments {
    std::filesystem::path file;
    bool yes = false;
    bool json = false;
};

auto drop_command(const DropArguments& arguments) -> int;

}  // namespace leat::cli
