// The SQL that makes JSON of a column, the very text that format/widen/to_json makes of its values.
#pragma once

#include <string>

#include "change/schema.hpp"

namespace leat::duckdb {

// `column`: quoted; of a type that has JSON (has_json).
auto json_sql(const Column& from, const std::string& column) -> std::string;

// The text of doubles in a column of numbers.
auto number_text_sql(const std::string& column) -> std::string;

}  // namespace leat::duckdb
