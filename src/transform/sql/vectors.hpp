// Values straight between Arrow's arrays and DuckDB's vectors, for the types whose bytes are known
// on both sides. The others go by DuckDB's own conversion, which costs several times as much.
#pragma once

#include <arrow/buffer_builder.h>
#include <arrow/type_fwd.h>
#include <duckdb.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"

namespace leat::sql {

// The type in which DuckDB keeps the values: of a DECIMAL the integer below it.
auto stored_type(duckdb_logical_type type) -> duckdb_type;

// Whether fill_vector() and ColumnTaker::take() know the type.
auto is_direct(const arrow::DataType& type) -> bool;

// Rows [offset, offset + count) of `from`, at most as many as a vector holds. Text is not copied:
// the array has to outlive the vector.
auto fill_vector(duckdb_vector to, duckdb_type stored, const arrow::Array& from,
                 std::int64_t offset, std::int64_t count) -> void;

// Gathers the values of one column, vector by vector.
class ColumnTaker {
public:
    ColumnTaker(std::shared_ptr<arrow::DataType> type, duckdb_type stored);

    // A flat vector of a direct type.
    auto take(duckdb_vector from, std::int64_t count) -> Result<void>;
    // Of another type: what another conversion made of one.
    auto take(std::shared_ptr<arrow::Array> values) -> void;
    // All values so far; the next ones begin a new array.
    auto finish() -> Result<std::shared_ptr<arrow::Array>>;

private:
    auto append(duckdb_vector from, std::int64_t count) -> arrow::Status;
    auto append_texts(const duckdb_string_t* values, const std::uint64_t* words,
                      std::int64_t count) -> arrow::Status;
    auto built() -> arrow::Result<std::shared_ptr<arrow::Array>>;
    auto joined() -> arrow::Result<std::shared_ptr<arrow::Array>>;

    std::shared_ptr<arrow::DataType> type_;
    duckdb_type stored_;
    arrow::TypedBufferBuilder<bool> valid_;
    arrow::TypedBufferBuilder<bool> bits_;             // of booleans
    arrow::BufferBuilder bytes_;                       // of all others
    arrow::TypedBufferBuilder<std::int32_t> offsets_;  // of texts, into bytes_
    std::vector<std::shared_ptr<arrow::Array>> converted_;  // of types that are not direct
};

}  // namespace leat::sql
