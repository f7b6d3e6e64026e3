// Which kind of key a run has, and where its values stand.
#include "change/net_effect_key.hpp"

#include <arrow/type.h>

#include <algorithm>

namespace leat::net_effect {

namespace {

auto is_plain_integer(const arrow::DataType& type) -> bool {
    return arrow::is_integer(type.id()) || type.id() == arrow::Type::DATE32 ||
           type.id() == arrow::Type::TIMESTAMP;
}

auto first_value(const arrow::Array& array, std::int32_t width) -> const std::uint8_t* {
    const auto& data = *array.data();
    return data.buffers[1]->data() + data.offset * width;
}

}  // namespace

auto ByteArena::grow(std::size_t least) -> void {
    constexpr std::size_t block_bytes = 1 << 16;
    room_ = std::max(block_bytes, least);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    next_ = blocks_.back().get();
}

// A truncate row has no key, and NULL in the old-key child of a row without `_before` means
// nothing: so NULLs are looked for row by row, where the array has any at all.
auto IntegerKeys::fits(const RunView& run) -> bool {
    const auto& key = run.schema().key;
    if (key.size() != 1) return false;
    const auto& after = *run.after_at(key[0]);
    if (!is_plain_integer(*after.type())) return false;
    if (after.null_count() != 0)
        for (std::int32_t row = 0; row < run.rows(); ++row)
            if (after.IsNull(row) && run.op(row) != Op::truncate) return false;
    if (run.any_unchanged())
        for (std::int32_t row = 0; row < run.rows(); ++row)
            if (run.is_unchanged(row, key[0])) return false;
    const auto& before = run.before_at(key[0]);
    if (before && before->null_count() != 0)
        for (std::int32_t row = 0; row < run.rows(); ++row)
            if (run.has_before(row) && before->IsNull(row)) return false;
    return true;
}

IntegerKeys::IntegerKeys(const RunView& run) {
    const int column = run.schema().key[0];
    width_ = run.after_at(column)->type()->byte_width();
    after_ = first_value(*run.after_at(column), width_);
    if (run.before_at(column)) before_ = first_value(*run.before_at(column), width_);
    numbers_.reserve(static_cast<std::size_t>(run.rows()));
}

auto CodedRows::make(const RunView& run, const std::vector<int>& columns, ZeroSign zero_sign)
    -> Result<CodedRows> {
    CodedRows rows;
    rows.run_ = &run;
    rows.columns_ = columns;
    for (const int column : columns) {
        rows.after_.push_back(TRY(ColumnCode::make(*run.after_at(column), zero_sign)));
        if (run.before_at(column))
            rows.before_.push_back(TRY(ColumnCode::make(*run.before_at(column), zero_sign)));
    }
    rows.numbers_.reserve(static_cast<std::size_t>(run.rows()));
    return rows;
}

}  // namespace leat::net_effect
