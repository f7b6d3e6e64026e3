// pick_rows(): a batch made of some rows of another, each kept as it is or turned into what stands
// in its place when the row itself may not go on. Between transforms, dead letters and sinks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"

namespace leat {

//   keep    the row as it is
//   remove  a D row of the identity that the row had before: `_before` where it is given, else its
//           own
//   move    an R row that takes the old row, if there is one, to the new key: every other column
//           is unchanged; for tables with a key
//   insert  an I row without the old one; for tables without a key
// The latter three never of T rows; all keep position and commit time.
enum class Pick : std::uint8_t { keep, remove, move, insert };

struct PickedRow {
    std::int64_t row = 0;
    Pick pick = Pick::keep;
};

// In the order given; the batch itself, uncopied, where all rows are kept in order. A view of
// consecutive kept rows is not copied either.
auto pick_rows(const Batch& batch, const std::vector<PickedRow>& rows) -> Result<Batch>;

// Row numbers as Arrow's take wants them, NULL for -1: made once for many columns.
auto row_indices(const std::vector<std::int64_t>& rows) -> Result<std::shared_ptr<arrow::Array>>;
auto take_values(const std::shared_ptr<arrow::Array>& values, const arrow::Array& indices)
    -> Result<std::shared_ptr<arrow::Array>>;
// The values at these rows, NULL where a row is -1.
auto take_values(const std::shared_ptr<arrow::Array>& values, const std::vector<std::int64_t>& rows)
    -> Result<std::shared_ptr<arrow::Array>>;

// Whether the source left columns of this row out (`_unchanged`).
auto is_partial(const Batch& batch, std::int64_t row) -> bool;

}  // namespace leat
