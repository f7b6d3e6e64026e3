// A query's answer as an Arrow stream, with the types that DuckDB gave it.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.hpp"
#include "sink/duckdb/client.hpp"
#include "sink/sink.hpp"

namespace leat::duckdb {

// `sql`: one SELECT that was examined before. At most rows_max rows.
auto arrow_answer(Connection& connection, const std::string& sql, std::size_t rows_max)
    -> Result<QueryStream>;

}  // namespace leat::duckdb
