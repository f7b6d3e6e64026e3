// `leat query FILE 'SQL'` and the other requests to a running pipeline.
#pragma once

#include <filesystem>
#include <string>

#include "cli/query_format.hpp"

namespace leat::cli {

struct QueryArguments {
    std::filesystem::path file;
    std::string sql;
    std::string sink;  // empty: the first
    QueryFormat format = QueryFormat::table;
    bool json = false;  // the answer as it came: columns, types and rows as text
};

auto query_command(const QueryArguments& arguments) -> int;

}  // namespace leat::cli
