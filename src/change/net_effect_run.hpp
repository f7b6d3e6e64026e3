// RunView: a run of rows taken apart into typed arrays, and where the value of a column of a row is
// to be read. Internal to collapse.cpp and net_effect_rows.cpp.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <vector>

#include "change/collapse.hpp"

namespace leat::net_effect {

// Borrows the batch. Checks the layout once, so that the accessors need not.
class RunView {
public:
    static auto make(const Batch& run) -> Result<RunView>;

    [[nodiscard]] auto schema() const -> const TableSchema& { return *schema_; }
    [[nodiscard]] auto rows() const -> std::int32_t { return rows_; }
    [[nodiscard]] auto columns() const -> int { return static_cast<int>(after_.size()); }
    [[nodiscard]] auto op(std::int32_t row) const -> Op { return static_cast<Op>(ops_[row]); }
    [[nodiscard]] auto has_before(std::int32_t row) const -> bool {
        return before_ != nullptr && before_->IsValid(row);
    }
    [[nodiscard]] auto any_unchanged() const -> bool { return unchanged_ != nullptr; }
    [[nodiscard]] auto is_unchanged(std::int32_t row, int column) const -> bool {
        if (unchanged_ == nullptr || unchanged_->IsNull(row)) return false;
        const auto* bits = unchanged_->GetValue(row);
        return ((bits[column / 8] >> (column % 8)) & 1) != 0;
    }
    // Some column's value is neither in the after image nor, as part of the identity, in `_before`.
    [[nodiscard]] auto is_partial(std::int32_t row) const -> bool;

    // An after image without the column falls back on the before image where that has it.
    [[nodiscard]] auto image_of(RowRef ref, int column) const -> Image {
        if (ref.image == Image::before) return Image::before;
        return is_unchanged(ref.row, column) && has_before(ref.row) && before_at(column) != nullptr
                   ? Image::before
                   : Image::after;
    }
    [[nodiscard]] auto after_at(int column) const -> const std::shared_ptr<arrow::Array>& {
        return after_[static_cast<std::size_t>(column)];
    }
    // Null where `_before` does not carry the column.
    [[nodiscard]] auto before_at(int column) const -> const std::shared_ptr<arrow::Array>& {
        return before_columns_[static_cast<std::size_t>(column)];
    }
    [[nodiscard]] auto field(int column) const -> std::shared_ptr<arrow::Field>;

private:
    RunView() = default;

    SchemaPtr schema_;
    std::shared_ptr<arrow::RecordBatch> batch_;
    std::int32_t rows_ = 0;
    const std::uint8_t* ops_ = nullptr;
    const arrow::StructArray* before_ = nullptr;
    const arrow::FixedSizeBinaryArray* unchanged_ = nullptr;
    std::vector<std::shared_ptr<arrow::Array>> after_;
    std::vector<std::shared_ptr<arrow::Array>> before_columns_;
};

}  // namespace leat::net_effect
