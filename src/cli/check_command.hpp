// `leat check FILE`: validates the file and looks at source, queue and sinks, changing nothing.
#pragma once

#include <filesystem>

namespace leat::cli {

struct CheckArguments {
    std::filesystem::path file;
    bool json = false;
};

// 0: `leat run` would start; 2: the file is wrong; 3: something around it is.
auto check_command(const CheckArguments& arguments) -> int;

}  // namespace leat::cli
