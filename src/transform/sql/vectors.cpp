// Copies, widens and narrows values; see vectors.hpp.
#include "transform/sql/vectors.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/builder.h>
#include <arrow/type.h>

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

auto text_value(std::string_view text) -> duckdb_string_t {
    duckdb_string_t value;
    std::memset(&value, 0, sizeof(value));  // shorter ones are compared with what lies behind
    value.value.inlined.length = static_cast<std::uint32_t>(text.size());
    if (text.size() <= inlined_bytes_max) {
        std::copy(text.begin(), text.end(), value.value.inlined.inlined);
        return value;
    }
    std::copy_n(text.begin(), sizeof(value.value.pointer.prefix), value.value.pointer.prefix);
    value.value.pointer.ptr = const_cast<char*>(text.data());  // is only read
    return value;
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
        case arrow::Type::BINARY: {
            const auto& texts = static_cast<const arrow::BinaryArray&>(from);
            for (std::int64_t i = 0; i < count; ++i)
                static_cast<duckdb_string_t*>(to)[i] = text_value(
                    texts.IsNull(offset + i) ? std::string_view() : texts.GetView(offset + i));
            return;
        }
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

// One byte per row, as Arrow's builders want it; empty: all are valid.
auto validity_of(duckdb_vector from, std::int64_t count) -> std::vector<std::uint8_t> {
    auto* const words = duckdb_vector_get_validity(from);
    if (words == nullptr) return {};
    std::vector<std::uint8_t> valid(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < valid.size(); ++i)
        valid[i] = static_cast<std::uint8_t>((words[i / 64] >> (i % 64)) & 1U);
    return valid;
}

struct Rows {
    const void* values = nullptr;
    std::int64_t count = 0;
    std::vector<std::uint8_t> valid;

    [[nodiscard]] auto is_valid(std::size_t row) const -> bool {
        return valid.empty() || valid[row] != 0;
    }
};

template <class Builder>
auto take_plain(arrow::ArrayBuilder& builder, const Rows& rows) -> arrow::Status {
    return static_cast<Builder&>(builder).AppendValues(
        static_cast<const typename Builder::value_type*>(rows.values), rows.count,
        rows.valid.empty() ? nullptr : rows.valid.data());
}

auto take_bools(arrow::ArrayBuilder& builder, const Rows& rows) -> arrow::Status {
    return static_cast<arrow::BooleanBuilder&>(builder).AppendValues(
        static_cast<const std::uint8_t*>(rows.values), rows.count,
        rows.valid.empty() ? nullptr : rows.valid.data());
}

auto take_texts(arrow::ArrayBuilder& builder, const Rows& rows) -> arrow::Status {
    auto& texts = static_cast<arrow::BinaryBuilder&>(builder);
    const auto* const values = static_cast<const duckdb_string_t*>(rows.values);
    std::int64_t bytes = 0;
    for (std::int64_t i = 0; i < rows.count; ++i)
        if (rows.is_valid(static_cast<std::size_t>(i))) bytes += duckdb_string_t_length(values[i]);
    ARROW_RETURN_NOT_OK(texts.ReserveData(bytes));
    for (std::int64_t i = 0; i < rows.count; ++i) {
        if (!rows.is_valid(static_cast<std::size_t>(i))) {
            texts.UnsafeAppendNull();
            continue;
        }
        auto value = values[i];
        texts.UnsafeAppend(duckdb_string_t_data(&value),
                           static_cast<std::int32_t>(duckdb_string_t_length(value)));
    }
    return {};
}

auto widened(std::int64_t value) -> Wide {
    return {static_cast<std::uint64_t>(value), value < 0 ? -1 : 0};
}

auto take_uuids(arrow::ArrayBuilder& builder, const Rows& rows) -> arrow::Status {
    auto& out = static_cast<arrow::FixedSizeBinaryBuilder&>(builder);
    const auto* const values = static_cast<const Wide*>(rows.values);
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.count); ++i) {
        if (rows.is_valid(i)) out.UnsafeAppend(uuid_bytes(values[i]).data());
        else out.UnsafeAppendNull();
    }
    return {};
}

template <class Narrow>
auto take_decimals(arrow::ArrayBuilder& builder, const Rows& rows) -> arrow::Status {
    auto& out = static_cast<arrow::FixedSizeBinaryBuilder&>(builder);
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows.count); ++i) {
        if (!rows.is_valid(i)) {
            out.UnsafeAppendNull();
            continue;
        }
        Wide value;
        if constexpr (sizeof(Narrow) == sizeof(Wide))
            value = static_cast<const Wide*>(rows.values)[i];
        else value = widened(static_cast<const Narrow*>(rows.values)[i]);
        out.UnsafeAppend(reinterpret_cast<const std::uint8_t*>(&value));
    }
    return {};
}

auto take_any(arrow::ArrayBuilder& builder, duckdb_type stored, const Rows& rows) -> arrow::Status {
    switch (builder.type()->id()) {
        case arrow::Type::BOOL: return take_bools(builder, rows);
        case arrow::Type::INT8: return take_plain<arrow::Int8Builder>(builder, rows);
        case arrow::Type::INT16: return take_plain<arrow::Int16Builder>(builder, rows);
        case arrow::Type::INT32: return take_plain<arrow::Int32Builder>(builder, rows);
        case arrow::Type::INT64: return take_plain<arrow::Int64Builder>(builder, rows);
        case arrow::Type::UINT8: return take_plain<arrow::UInt8Builder>(builder, rows);
        case arrow::Type::UINT16: return take_plain<arrow::UInt16Builder>(builder, rows);
        case arrow::Type::UINT32: return take_plain<arrow::UInt32Builder>(builder, rows);
        case arrow::Type::UINT64: return take_plain<arrow::UInt64Builder>(builder, rows);
        case arrow::Type::FLOAT: return take_plain<arrow::FloatBuilder>(builder, rows);
        case arrow::Type::DOUBLE: return take_plain<arrow::DoubleBuilder>(builder, rows);
        case arrow::Type::DATE32: return take_plain<arrow::Date32Builder>(builder, rows);
        case arrow::Type::TIME64: return take_plain<arrow::Time64Builder>(builder, rows);
        case arrow::Type::TIMESTAMP: return take_plain<arrow::TimestampBuilder>(builder, rows);
        case arrow::Type::STRING:
        case arrow::Type::BINARY: return take_texts(builder, rows);
        case arrow::Type::FIXED_SIZE_BINARY: return take_uuids(builder, rows);
        case arrow::Type::DECIMAL128:
            if (stored == DUCKDB_TYPE_SMALLINT) return take_decimals<std::int16_t>(builder, rows);
            if (stored == DUCKDB_TYPE_INTEGER) return take_decimals<std::int32_t>(builder, rows);
            if (stored == DUCKDB_TYPE_BIGINT) return take_decimals<std::int64_t>(builder, rows);
            return take_decimals<Wide>(builder, rows);
        default: return arrow::Status::NotImplemented(builder.type()->ToString());
    }
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

ColumnTaker::ColumnTaker(std::unique_ptr<arrow::ArrayBuilder> builder, duckdb_type stored)
    : builder_(std::move(builder)), stored_(stored) {}

auto ColumnTaker::make(const std::shared_ptr<arrow::DataType>& type, duckdb_type stored)
    -> Result<ColumnTaker> {
    auto builder = arrow::MakeBuilder(type);
    if (!builder.ok()) return failed(builder.status());
    return ColumnTaker(*std::move(builder), stored);
}

auto ColumnTaker::take(duckdb_vector from, std::int64_t count) -> Result<void> {
    if (auto status = builder_->Reserve(count); !status.ok()) return failed(status);
    const Rows rows{duckdb_vector_get_data(from), count, validity_of(from, count)};
    if (auto status = take_any(*builder_, stored_, rows); !status.ok()) return failed(status);
    return {};
}

auto ColumnTaker::take(const arrow::Array& values) -> Result<void> {
    const auto status =
        builder_->AppendArraySlice(arrow::ArraySpan(*values.data()), 0, values.length());
    if (!status.ok()) return failed(status);
    return {};
}

auto ColumnTaker::finish() -> Result<std::shared_ptr<arrow::Array>> {
    auto array = builder_->Finish();
    if (!array.ok()) return failed(array.status());
    return *std::move(array);
}

}  // namespace leat::sql
