// Batch and Frame: slices and sizes.
#include "change/batch.hpp"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include "change/frame.hpp"

namespace leat {

auto slice(const Batch& batch, std::int64_t from_row) -> Batch {
    return Batch{batch.schema, batch.rows->Slice(from_row)};
}

auto byte_size(const Batch& batch) -> std::size_t {
    return static_cast<std::size_t>(arrow::util::TotalBufferSize(*batch.rows));
}

auto Frame::rows() const -> std::int64_t {
    std::int64_t count = 0;
    for (const auto& batch : batches) count += batch.rows->num_rows();
    return count;
}

auto Frame::bytes() const -> std::size_t {
    std::size_t count = 0;
    for (const auto& batch : batches) count += byte_size(batch);
    return count;
}

}  // namespace leat
