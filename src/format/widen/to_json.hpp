// Values of a column as JSON text.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "change/schema.hpp"

namespace leat {

// Whether a column of this type can become JSON.
auto has_json(const Column& column) -> bool;

// Relaxed Extended JSON: booleans, integers and doubles plainly (a double always with '.' or 'e',
// spelled as Python's repr), numeric text as {"$numberDecimal":…}, object ids as {"$oid":…}, other
// text as a string, timestamps as {"$date":…}, uuids and bytes as {"$binary":…}.
auto to_json(const arrow::Array& array, const Column& column)
    -> arrow::Result<std::shared_ptr<arrow::Array>>;

}  // namespace leat
