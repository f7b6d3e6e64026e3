// Columns whose type widened: which changes keep every value what it was, and the values under the
// wider type. One list for every sink: what an ALTER of a target does has to give the same values.
// Pure.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "change/schema.hpp"

namespace leat {

// What widens to what:
//   an integer, float, decimal   to a larger one of its kind
//   a decimal                    to text
//   int64                        to double (the source has seen none beyond ±2^53), to text tagged
//                                numeric; double to the latter too
//   a list                       to one whose items are wider
//   boolean, int64, double, text (plain, or tagged numeric or objectid), timestamp with zone, uuid,
//   binary                       to text tagged json
// As JSON a value is relaxed Extended JSON, so that 1, 1.0 and "1" stay apart: see json_of().
auto widens(const Column& from, const Column& to) -> bool;

// The values of a column of `from` as those of `to`, to which it widens.
auto widen(const std::shared_ptr<arrow::Array>& array, const Column& from, const Column& to)
    -> arrow::Result<std::shared_ptr<arrow::Array>>;

}  // namespace leat
