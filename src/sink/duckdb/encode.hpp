// Arrow columns -> DuckDB vectors, a column at a time, and the judging of values that DuckDB cannot
// hold. Text and blobs are not copied: the vector points into the Arrow buffers, which must live
// until the chunk has been appended (the appender copies).
#pragma once

#include <arrow/type_fwd.h>
#include <duckdb.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "sink/duckdb/column_type.hpp"

namespace leat::duckdb {

// `count` rows of `array` from row `from` on, into the vector's rows from `at` on. A null pointer
// stands for a column of NULLs. Only values that judge() has let through.
struct Slice {
    const arrow::Array* array = nullptr;
    std::int64_t from = 0;
    std::int64_t count = 0;
};
auto encode(const Slice& slice, const ColumnType& type, duckdb_vector out, idx_t at) -> void;

// A value that DuckDB cannot hold, and why.
struct Misfit {
    std::int64_t row = 0;
    std::string_view reason;
};
// Appends the misfits of a column, ascending by row, one per row at most.
auto judge(const arrow::Array& array, const ColumnType& type, std::vector<Misfit>& misfits) -> void;

}  // namespace leat::duckdb
