// How a column of a TableSchema is held in DuckDB: from the Arrow type and the tag that says what
// Arrow cannot. One table of kinds, read by DDL (schema), judging and encoding alike.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "change/schema.hpp"
#include "sink/duckdb/client.hpp"

namespace leat::duckdb {

enum class Kind : std::uint8_t {
    fixed,         // same bytes in Arrow and DuckDB: integers and floating point numbers
    boolean,       // bits in Arrow, bytes in DuckDB
    decimal,       // 128 bits in Arrow, 16 to 128 in DuckDB by precision
    uuid,          // 16 bytes in Arrow, an ordered 128-bit integer in DuckDB
    date,          // days; infinities differ
    time,          // microseconds, 24:00:00 included
    timestamp,     // microseconds; infinities differ
    timestamp_tz,  // the same, UTC
    text,          // VARCHAR, valid UTF-8
    json,          // as text, under DuckDB's JSON type
    blob,
    list,
    unsupported,
};

struct ColumnType {
    Kind kind = Kind::unsupported;
    duckdb_type id = DUCKDB_TYPE_INVALID;
    std::string sql;    // the type's name in DDL
    int width = 0;      // fixed, time, decimal: bytes of a value in DuckDB
    int precision = 0;  // decimal
    int scale = 0;      // decimal
    std::shared_ptr<const ColumnType> item = nullptr;  // list
};

// Kind::unsupported where DuckDB has no place for it.
auto column_type(const arrow::DataType& type, const std::string& logical_type) -> ColumnType;

// The same as DuckDB's own object, for vectors that are not a table's.
auto logical_type(const ColumnType& type) -> LogicalType;

}  // namespace leat::duckdb
