// Arrow columns -> DuckDB vectors. The layout of DuckDB's vectors is that of duckdb.h 1.5.
#include "sink/duckdb/encode.hpp"

#include <arrow/array.h>

#include <cstring>
#include <limits>

#include "base/check.hpp"
#include "sink/duckdb/infinity.hpp"

namespace leat::duckdb {

namespace {

template <class T>
auto data_at(duckdb_vector out, idx_t at) -> T* {
    return static_cast<T*>(duckdb_vector_get_data(out)) + at;
}

auto encode_nulls(const Slice& slice, duckdb_vector out, idx_t at) -> void {
    if (slice.array != nullptr && slice.array->null_count() == 0) return;
    duckdb_vector_ensure_validity_writable(out);
    auto* const validity = duckdb_vector_get_validity(out);
    for (std::int64_t i = 0; i < slice.count; ++i)
        if (slice.array == nullptr || slice.array->IsNull(slice.from + i))
            duckdb_validity_set_row_invalid(validity, at + static_cast<idx_t>(i));
}

auto encode_fixed(const Slice& slice, int width, duckdb_vector out, idx_t at) -> void {
    const auto bytes = static_cast<std::size_t>(width);
    const auto& data = *slice.array->data();
    const auto first = static_cast<std::size_t>(data.offset + slice.from) * bytes;
    if (data.buffers[1] == nullptr) return;
    std::memcpy(data_at<char>(out, at * bytes), data.buffers[1]->data() + first,
                static_cast<std::size_t>(slice.count) * bytes);
}

auto encode_boolean(const Slice& slice, duckdb_vector out, idx_t at) -> void {
    const auto& array = static_cast<const arrow::BooleanArray&>(*slice.array);
    auto* const to = data_at<bool>(out, at);
    for (std::int64_t i = 0; i < slice.count; ++i)
        to[i] = array.IsValid(slice.from + i) && array.Value(slice.from + i);
}

template <class Narrow>
auto encode_decimal(const Slice& slice, duckdb_vector out, idx_t at) -> void {
    const auto& array = static_cast<const arrow::Decimal128Array&>(*slice.array);
    auto* const to = data_at<Narrow>(out, at);
    for (std::int64_t i = 0; i < slice.count; ++i) {
        // Little-endian two's complement: the low bytes are the narrow value, which judge() has
        // seen to fit.
        if (array.IsValid(slice.from + i))
            std::memcpy(to + i, array.GetValue(slice.from + i), sizeof(Narrow));
    }
}

auto encode_decimal_of(const Slice& slice, int width, duckdb_vector out, idx_t at) -> void {
    switch (width) {
        case 2: return encode_decimal<std::int16_t>(slice, out, at);
        case 4: return encode_decimal<std::int32_t>(slice, out, at);
        case 8: return encode_decimal<std::int64_t>(slice, out, at);
        default: return encode_decimal<duckdb_hugeint>(slice, out, at);
    }
}

auto encode_uuid(const Slice& slice, duckdb_vector out, idx_t at) -> void {
    const auto& array = static_cast<const arrow::FixedSizeBinaryArray&>(*slice.array);
    auto* const to = data_at<duckdb_hugeint>(out, at);
    for (std::int64_t i = 0; i < slice.count; ++i) {
        if (array.IsNull(slice.from + i)) continue;
        std::uint64_t high = 0;
        std::uint64_t low = 0;
        std::memcpy(&high, array.GetValue(slice.from + i), 8);
        std::memcpy(&low, array.GetValue(slice.from + i) + 8, 8);
        // The top bit is turned over so that signed order is the order of the bytes.
        to[i].upper = static_cast<std::int64_t>(__builtin_bswap64(high) ^ (1ULL << 63U));
        to[i].lower = __builtin_bswap64(low);
    }
}

template <class T>
auto encode_with_infinity(const Slice& slice, duckdb_vector out, idx_t at) -> void {
    const auto& data = *slice.array->data();
    if (data.buffers[1] == nullptr) return;
    const auto* const from = data.GetValues<T>(1) + slice.from;
    auto* const to = data_at<T>(out, at);
    for (std::int64_t i = 0; i < slice.count; ++i)
        to[i] = from[i] == std::numeric_limits<T>::min() ? minus_infinity<T> : from[i];
}

template <class Array>
auto encode_bytes(const Slice& slice, duckdb_vector out, idx_t at) -> void {
    const auto& array = static_cast<const Array&>(*slice.array);
    auto* const to = data_at<duckdb_string_t>(out, at);
    for (std::int64_t i = 0; i < slice.count; ++i) {
        const auto value = array.GetView(slice.from + i);
        auto& string = to[i].value;
        string.inlined.length = static_cast<std::uint32_t>(value.size());
        if (value.size() <= sizeof(string.inlined.inlined)) {
            std::memset(string.inlined.inlined, 0, sizeof(string.inlined.inlined));
            std::memcpy(string.inlined.inlined, value.data(), value.size());
        } else {
            std::memcpy(string.pointer.prefix, value.data(), sizeof(string.pointer.prefix));
            // DuckDB only reads through it.
            string.pointer.ptr = const_cast<char*>(value.data());
        }
    }
}

auto encode_blob(const Slice& slice, duckdb_vector out, idx_t at) -> void {
    if (slice.array->type_id() == arrow::Type::FIXED_SIZE_BINARY)
        return encode_bytes<arrow::FixedSizeBinaryArray>(slice, out, at);
    encode_bytes<arrow::BinaryArray>(slice, out, at);
}

auto encode_list(const Slice& slice, const ColumnType& type, duckdb_vector out, idx_t at) -> void {
    const auto& array = static_cast<const arrow::ListArray&>(*slice.array);
    const auto first = array.value_offset(slice.from);
    const auto total = array.value_offset(slice.from + slice.count) - first;
    const auto items_at = duckdb_list_vector_get_size(out);
    const auto items = static_cast<idx_t>(total);
    CHECK(duckdb_list_vector_reserve(out, items_at + items) == DuckDBSuccess);
    CHECK(duckdb_list_vector_set_size(out, items_at + items) == DuckDBSuccess);
    auto* const to = data_at<duckdb_list_entry>(out, at);
    for (std::int64_t i = 0; i < slice.count; ++i) {
        to[i].offset = items_at + static_cast<idx_t>(array.value_offset(slice.from + i) - first);
        to[i].length = array.IsNull(slice.from + i)
                           ? 0
                           : static_cast<idx_t>(array.value_length(slice.from + i));
    }
    if (total > 0)
        encode({array.values().get(), first, total}, *type.item, duckdb_list_vector_get_child(out),
               items_at);
}

}  // namespace

auto encode(const Slice& slice, const ColumnType& type, duckdb_vector out, idx_t at) -> void {
    if (slice.count == 0) return;
    encode_nulls(slice, out, at);
    if (slice.array == nullptr) return;
    switch (type.kind) {
        case Kind::time:
        case Kind::fixed: return encode_fixed(slice, type.width, out, at);
        case Kind::boolean: return encode_boolean(slice, out, at);
        case Kind::decimal: return encode_decimal_of(slice, type.width, out, at);
        case Kind::uuid: return encode_uuid(slice, out, at);
        case Kind::date: return encode_with_infinity<std::int32_t>(slice, out, at);
        case Kind::timestamp:
        case Kind::timestamp_tz: return encode_with_infinity<std::int64_t>(slice, out, at);
        case Kind::text:
        case Kind::json: return encode_bytes<arrow::StringArray>(slice, out, at);
        case Kind::blob: return encode_blob(slice, out, at);
        case Kind::list: return encode_list(slice, type, out, at);
        case Kind::unsupported: CHECK(false);
    }
}

}  // namespace leat::duckdb
