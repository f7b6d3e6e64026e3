// A copy of the open database for programs that read beside the pipeline: DuckDB lets no second
// process into a file that is written, so they get one of their own, exchanged from time to time.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "sink/duckdb/client.hpp"

namespace leat::duckdb {

// The files that making a copy at `path` touches beside it: what DuckDB must be allowed to reach.
auto copy_files(const std::filesystem::path& path) -> std::vector<std::filesystem::path>;

// Copies what one transaction sees into a file beside `path` and renames it there once it is whole
// and on disk. Readers of the former copy keep it. `stop` interrupts; then the former copy stays.
auto copy_database(Connection& connection, const std::filesystem::path& path,
                   const std::stop_token& stop) -> Result<void>;

}  // namespace leat::duckdb
