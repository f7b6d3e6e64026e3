// Copies, widens and narrows values; see vectors.hpp.
#include "transform/sql/vectors.hpp"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::sql {

namespace {

auto failed(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "transform values: " + status.message(), "", "arrow"};
}

// Both sides hold 128 bits as the low half and then the signed high one.
struct Wide {
    std::uint64_t lower = 0;
    std::int64_t upper = 0;
};
static_assert(sizeof(Wide) == 16 && std::endian::native == std::endian::little);

constexpr std::size_t inlined_bytes_max = 12;

// A text as DuckDB holds it: its length, its first 4 bytes, and then 8 more or where it lies.
struct TextValue {
    std::uint64_t head;
    std::uint64_t tail;
};
static_assert(sizeof(TextValue) == sizeof(duckdb_string_t));

// `bytes`: at least 12, of which the first `size` count. Zeros come behind them, since shorter texts
// are compared with what lies there.
auto set_short(TextValue& to, const char* bytes, std::size_t size) -> void {
    std::uint32_t prefix = 0;
    std::uint64_t rest = 0;
    std::memcpy(&prefix, bytes, sizeof(prefix));
    std::memcpy(&rest, bytes + sizeof(prefix), sizeof(rest));
    if (size < sizeof(prefix)) prefix &= (1U << 8 * size) - 1;
    const auto above = size > sizeof(prefix) ? size - sizeof(prefix) : 0;
    if (above < sizeof(rest)) rest &= (std::uint64_t{1} << 8 * above) - 1;
    to.head = size | std::uint64_t{prefix} << 32U;
    to.tail = rest;
}

auto set_long(TextValue& to, const char* bytes, std::size_t size) -> void {
    std::uint32_t prefix = 0;
    std::memcpy(&prefix, bytes, sizeof(prefix));
    to.head = size | std::uint64_t{prefix} << 32U;
    to.tail = reinterpret_cast<std::uintptr_t>(bytes);
}

auto fill_texts(TextValue* to, const arrow::BinaryArray& from, std::int64_t offset,
                std::int64_t count) -> void {
    const auto& buffer = from.value_data();
    const auto* const bytes = buffer ? reinterpret_cast<const char*>(buffer->data()) : nullptr;
    const auto end = buffer ? static_cast<std::size_t>(buffer->size()) : 0;
    const auto* const offsets = from.raw_value_offsets() + offset;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto begin = static_cast<std::size_t>(offsets[i]);
        const auto size = static_cast<std::size_t>(offsets[i + 1]) - begin;
        if (size > inlined_bytes_max) {
            set_long(to[i], bytes + begin, size);
        } else if (begin + inlined_bytes_max <= end) {
            set_short(to[i], bytes + begin, size);
        } else {
            std::array<char, inlined_bytes_max> padded{};
            std::copy_n(bytes + begin, size, padded.begin());
            set_short(to[i], padded.data(), size);
        }
    }
}

// A UUID is a number of 16 bytes, highest first; DuckDB turns the first bit, so that they sort as
// such.
constexpr std::uint64_t first_bit = std::uint64_t{1} << 63U;

auto uuid_of(const std::uint8_t* bytes) -> Wide {
    std::uint64_t upper = 0;
    Wide value;
    for (std::size_t i = 0; i < 8; ++i) {
        upper = upper << 8U | bytes[i];
        value.lower = value.lower << 8U | bytes[8 + i];
    }
    value.upper = static_cast<std::int64_t>(upper ^ first_bit);
    return value;
}

auto uuid_bytes(Wide value) -> std::array<std::uint8_t, 16> {
    std::array<std::uint8_t, 16> bytes{};
    const auto upper = static_cast<std::uint64_t>(value.upper) ^ first_bit;
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(upper >> (56 - 8 * i));
        bytes[8 + i] = static_cast<std::uint8_t>(value.lower >> (56 - 8 * i));
    }
    return bytes;
}

template <class Narrow>
auto fill_decimals(void* to, const Wide* from, std::int64_t count) -> void {
    auto* const out = static_cast<Narrow*>(to);
    for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<Narrow>(from[i].lower);
}

auto fill_values(void* to, duckdb_type stored, const arrow::Array& from, std::int64_t offset,
                 std::int64_t count) -> void {
    switch (from.type_id()) {
        case arrow::Type::BOOL: {
            const auto& bits = static_cast<const arrow::BooleanArray&>(from);
            for (std::int64_t i = 0; i < count; ++i)
                static_cast<bool*>(to)[i] = bits.Value(offset + i);
            return;
        }
        case arrow::Type::STRING:
        case arrow::Type::BINARY:
            return fill_texts(static_cast<TextValue*>(to),
                              static_cast<const arrow::BinaryArray&>(from), offset, count);
        default: break;
    }
    const auto width = static_cast<std::size_t>(from.type()->byte_width());
    const auto* const values = from.data()->buffers[1]->data() +
                               static_cast<std::size_t>(from.offset() + offset) * width;
    if (from.type_id() == arrow::Type::DECIMAL128 && stored != DUCKDB_TYPE_HUGEINT) {
        const auto* const wide = reinterpret_cast<const Wide*>(values);
        if (stored == DUCKDB_TYPE_SMALLINT) return fill_decimals<std::int16_t>(to, wide, count);
        if (stored == DUCKDB_TYPE_INTEGER) return fill_decimals<std::int32_t>(to, wide, count);
        return fill_decimals<std::int64_t>(to, wide, count);
    }
    if (from.type_id() == arrow::Type::FIXED_SIZE_BINARY) {
        auto* const out = static_cast<Wide*>(to);
        for (std::int64_t i = 0; i < count; ++i) out[i] = uuid_of(values + 16 * i);
        return;
    }
    std::memcpy(to, values, static_cast<std::size_t>(count) * width);
}

// DuckDB's words of validity have the layout of Arrow's bitmaps.
auto all_valid(const std::uint64_t* words, std::int64_t count) -> bool {
    return words == nullptr ||
           arrow::internal::CountSetBits(reinterpret_cast<const std::uint8_t*>(words), 0, count) ==
               count;
}

template <class Narrow>
auto widen(Wide* to, const void* values, std::int64_t count) -> void {
    const auto* const from = static_cast<const Narrow*>(values);
    for (std::int64_t i = 0; i < count; ++i)
        to[i] = {static_cast<std::uint64_t>(std::int64_t{from[i]}), from[i] < 0 ? -1 : 0};
}

auto take_wide(std::uint8_t* to, const void* values, duckdb_type stored, std::int64_t count)
    -> void {
    auto* const out = reinterpret_cast<Wide*>(to);
    if (stored == DUCKDB_TYPE_SMALLINT) return widen<std::int16_t>(out, values, count);
    if (stored == DUCKDB_TYPE_INTEGER) return widen<std::int32_t>(out, values, count);
    if (stored == DUCKDB_TYPE_BIGINT) return widen<std::int64_t>(out, values, count);
    const auto* const wide = static_cast<const Wide*>(values);
    if (stored != DUCKDB_TYPE_UUID) {
        std::copy_n(wide, count, out);
        return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
        const auto bytes = uuid_bytes(wide[i]);
        std::copy(bytes.begin(), bytes.end(), to + 16 * i);
    }
}

auto is_text(const arrow::DataType& type) -> bool {
    return type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY;
}

}  // namespace

auto stored_type(duckdb_logical_type type) -> duckdb_type {
    const auto id = duckdb_get_type_id(type);
    return id == DUCKDB_TYPE_DECIMAL ? duckdb_decimal_internal_type(type) : id;
}

auto is_direct(const arrow::DataType& type) -> bool { return type.id() != arrow::Type::LIST; }

auto fill_vector(duckdb_vector to, duckdb_type stored, const arrow::Array& from,
                 std::int64_t offset, std::int64_t count) -> void {
    if (count == 0) return;
    fill_values(duckdb_vector_get_data(to), stored, from, offset, count);
    if (from.null_count() == 0) return;
    duckdb_vector_ensure_validity_writable(to);
    auto* const words = duckdb_vector_get_validity(to);
    for (std::int64_t i = 0; i < count; ++i)
        duckdb_validity_set_row_validity(words, static_cast<idx_t>(i), from.IsValid(offset + i));
}

ColumnTaker::ColumnTaker(std::shared_ptr<arrow::DataType> type, duckdb_type stored)
    : type_(std::move(type)), stored_(stored) {}

auto ColumnTaker::take(duckdb_vector from, std::int64_t count) -> Result<void> {
    if (auto status = append(from, count); !status.ok()) return failed(status);
    return {};
}

auto ColumnTaker::append(duckdb_vector from, std::int64_t count) -> arrow::Status {
    const auto* const values = duckdb_vector_get_data(from);
    const auto* const words = duckdb_vector_get_validity(from);
    ARROW_RETURN_NOT_OK(valid_.Reserve(count));
    if (all_valid(words, count)) valid_.UnsafeAppend(count, true);
    else valid_.UnsafeAppend(reinterpret_cast<const std::uint8_t*>(words), 0, count);
    if (is_text(*type_))
        return append_texts(static_cast<const duckdb_string_t*>(values), words, count);
    if (type_->id() == arrow::Type::BOOL)
        return bits_.Append(static_cast<const std::uint8_t*>(values), count);
    const auto bytes = count * type_->byte_width();
    const bool is_wide = type_->id() == arrow::Type::DECIMAL128 ||
                         type_->id() == arrow::Type::FIXED_SIZE_BINARY;
    if (!is_wide) return bytes_.Append(values, bytes);
    ARROW_RETURN_NOT_OK(bytes_.Reserve(bytes));
    take_wide(bytes_.mutable_data() + bytes_.length(), values, stored_, count);
    bytes_.UnsafeAdvance(bytes);
    return {};
}

auto ColumnTaker::append_texts(const duckdb_string_t* values, const std::uint64_t* words,
                               std::int64_t count) -> arrow::Status {
    const auto is_valid = [&](std::int64_t i) {
        return words == nullptr || ((words[i / 64] >> (i % 64)) & 1U) != 0;
    };
    std::int64_t bytes = 0;
    for (std::int64_t i = 0; i < count; ++i)
        if (is_valid(i)) bytes += duckdb_string_t_length(values[i]);
    if (bytes_.length() + bytes > arrow::kBinaryMemoryLimit)
        return arrow::Status::CapacityError("more than 2 GB of text at once");
    // A short text is copied with what lies behind it, which the next one overwrites.
    ARROW_RETURN_NOT_OK(bytes_.Reserve(bytes + static_cast<std::int64_t>(inlined_bytes_max)));
    ARROW_RETURN_NOT_OK(offsets_.Reserve(count));
    auto* const begin = bytes_.mutable_data() + bytes_.length();
    auto* to = begin;
    for (std::int64_t i = 0; i < count; ++i) {
        offsets_.UnsafeAppend(static_cast<std::int32_t>(bytes_.length() + (to - begin)));
        if (!is_valid(i)) continue;
        const auto size = duckdb_string_t_length(values[i]);
        if (size <= inlined_bytes_max)
            std::memcpy(to, values[i].value.inlined.inlined, inlined_bytes_max);
        else std::memcpy(to, values[i].value.pointer.ptr, size);
        to += size;
    }
    bytes_.UnsafeAdvance(to - begin);
    return {};
}

auto ColumnTaker::take(std::shared_ptr<arrow::Array> values) -> void {
    converted_.push_back(std::move(values));
}

auto ColumnTaker::finish() -> Result<std::shared_ptr<arrow::Array>> {
    auto array = is_direct(*type_) ? built() : joined();
    if (!array.ok()) return failed(array.status());
    return *std::move(array);
}

auto ColumnTaker::joined() -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto parts = std::exchange(converted_, {});
    return parts.empty() ? arrow::MakeEmptyArray(type_) : arrow::Concatenate(parts);
}

auto ColumnTaker::built() -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto count = valid_.length();
    const auto nulls = valid_.false_count();
    ARROW_ASSIGN_OR_RAISE(auto valid, valid_.Finish());
    arrow::BufferVector buffers{nulls > 0 ? std::move(valid) : nullptr};
    if (is_text(*type_)) {
        ARROW_RETURN_NOT_OK(offsets_.Append(static_cast<std::int32_t>(bytes_.length())));
        buffers.emplace_back();
        ARROW_ASSIGN_OR_RAISE(buffers.back(), offsets_.Finish());
    }
    buffers.emplace_back();
    const bool is_bits = type_->id() == arrow::Type::BOOL;
    ARROW_ASSIGN_OR_RAISE(buffers.back(), is_bits ? bits_.Finish() : bytes_.Finish());
    return arrow::MakeArray(arrow::ArrayData::Make(type_, count, std::move(buffers), nulls));
}

}  // namespace leat::sql
