// Batch: rows of one table and one schema version in source order, as an Arrow RecordBatch.
// The unit that decoders build, frames carry and sinks write. Moved along, never shared.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.hpp"
#include "change/schema.hpp"

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace leat {

// What happened to a row; the values of the `_op` column.
enum class Op : std::uint8_t {
    insert = 'I',
    update = 'U',
    replace = 'R',   // the row, whether it existed or not; a partial one: only where it did
    remove = 'D',
    snapshot = 'S',  // read by a snapshot
    truncate = 'T',  // the table was emptied; all other columns are null
};

// Columns of `rows`, always in this order:
//   0 _op           uint8, an Op
//   1 _commit       uint64, Position::commit; never falls within a batch
//   2 _ordinal      uint64, Position::ordinal
//   3 _commit_time  timestamp[us, UTC]
//   4 _before       struct of the identity columns, null where not given; Arrow type null when no
//                   row of the batch has one. Key tables: the old key of an update that changed it.
//                   full_row tables: the old row of every update
//   5 _unchanged    fixed_size_binary((columns + 7) / 8), bit i (LSB first) set: the source did not
//                   send column i (unchanged TOAST); null: all were sent; Arrow type null as above
//   6… the table's columns in schema order: the after image. D rows of a key table hold the key,
//      the other columns are null; D rows of a full_row table hold the whole old row.
// A column that was not sent is null in the after image, and never means NULL.
struct Batch {
    SchemaPtr schema;
    std::shared_ptr<arrow::RecordBatch> rows;
};

inline constexpr int op_column = 0;
inline constexpr int commit_column = 1;
inline constexpr int ordinal_column = 2;
inline constexpr int commit_time_column = 3;
inline constexpr int before_column = 4;
inline constexpr int unchanged_column = 5;
inline constexpr int first_table_column = 6;

// Rows at or after `from_row`, without copying.
auto slice(const Batch& batch, std::int64_t from_row) -> Batch;
// Bytes of all buffers the rows refer to, for bounding memory.
auto byte_size(const Batch& batch) -> std::size_t;

}  // namespace leat
