// `leat query FILE 'SQL'` and the other requests to a running pipeline.
#pragma once

#include <filesystem>
#include <string>

namespace leat::cli {

struct QueryArguments {
    std::filesystem::path file;
    std::string sql;
    std::string sink;  // empty: the first
    bool json = false;
};

auto query_command(const QueryArguments& arguments) -> int;

}  // namespace leat::cli
