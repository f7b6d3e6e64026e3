// What differs between leat's columns and DuckDB's at the border of the two: types, tags, and the
// integers that stand for infinite times.
#pragma once

#include <arrow/type_fwd.h>
#include <duckdb.h>

#include <memory>
#include <string>

#include "change/schema.hpp"
#include "base/result.hpp"

namespace leat::sql {

// The Arrow field under which a column is handed in: uuid and json by their extension names.
auto field_for_duckdb(const std::string& name, const arrow::DataType& type,
                      const std::string& logical_type) -> std::shared_ptr<arrow::Field>;

// The column that a computed value of this type becomes (name left empty); an error names the cast
// that makes a type which cannot be kept one that can.
auto column_from_duckdb(duckdb_logical_type type) -> Result<Column>;

// The same values with the other's infinities; the array itself where it holds none.
using ArrayPtr = std::shared_ptr<arrow::Array>;
auto infinities_to_duckdb(const ArrayPtr& array) -> Result<ArrayPtr>;
// And back, as values of `type`.
auto from_duckdb(const ArrayPtr& array, const std::shared_ptr<arrow::DataType>& type)
    -> Result<ArrayPtr>;

}  // namespace leat::sql
