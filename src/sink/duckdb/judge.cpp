// Which values DuckDB cannot hold: checked before a row enters an epoch, so that no epoch fails for
// the sake of one value. The limits are those that DuckDB's own casts to and from text have.
#include <arrow/array.h>
#include <arrow/util/decimal.h>
#include <arrow/util/utf8.h>

#include <limits>

#include "sink/duckdb/encode.hpp"
#include "sink/duckdb/infinity.hpp"

namespace leat::duckdb {

namespace {

constexpr std::int64_t timestamp_min = -9'223'372'022'400'000'000;  // 290309-12-22 BC
constexpr std::int64_t day_us = 86'400'000'000;

// Appends row `row` where test(row) finds a fault; nulls are no values.
template <class Array, class Fits>
auto judge_each(const Array& array, std::string_view reason, std::vector<Misfit>& misfits,
                Fits fits) -> void {
    for (std::int64_t row = 0; row < array.length(); ++row)
        if (array.IsValid(row) && !fits(row)) misfits.push_back({row, reason});
}

// The smallest integers are rare: one pass without branches decides whether to look closer.
template <class T>
auto has_below(const arrow::Array& array, T limit) -> bool {
    if (array.data()->buffers[1] == nullptr) return false;
    const auto* const values = array.data()->template GetValues<T>(1);
    bool found = false;
    for (std::int64_t row = 0; row < array.length(); ++row) found |= values[row] < limit;
    return found;
}

auto judge_timestamp(const arrow::Array& array, std::vector<Misfit>& misfits) -> void {
    if (!has_below<std::int64_t>(array, timestamp_min)) return;
    const auto* const values = array.data()->GetValues<std::int64_t>(1);
    judge_each(array, "timestamp is before duckdb's first (290309-12-22 BC)", misfits,
               [&](std::int64_t row) {
                   return values[row] >= timestamp_min ||
                          values[row] == std::numeric_limits<std::int64_t>::min();
               });
}

auto judge_date(const arrow::Array& array, std::vector<Misfit>& misfits) -> void {
    // The value beside the smallest is DuckDB's -infinity, hence not a day.
    if (!has_below<std::int32_t>(array, minus_infinity<std::int32_t> + 1)) return;
    const auto* const values = array.data()->GetValues<std::int32_t>(1);
    judge_each(array, "date is before duckdb's first (5877642-06-25 BC)", misfits,
               [&](std::int64_t row) { return values[row] != minus_infinity<std::int32_t>; });
}

auto judge_time(const arrow::Array& array, std::vector<Misfit>& misfits) -> void {
    const auto* const values = array.data()->GetValues<std::int64_t>(1);
    judge_each(array, "time is not within a day", misfits,
               [&](std::int64_t row) { return values[row] >= 0 && values[row] <= day_us; });
}

auto judge_decimal(const arrow::Array& array, int precision, std::vector<Misfit>& misfits) -> void {
    const auto& decimals = static_cast<const arrow::Decimal128Array&>(array);
    judge_each(array, "number has more digits than its column", misfits, [&](std::int64_t row) {
        return arrow::Decimal128(decimals.GetValue(row)).FitsInPrecision(precision);
    });
}

auto is_ascii(const std::uint8_t* bytes, std::int64_t count) -> bool {
    std::uint8_t seen = 0;
    for (std::int64_t i = 0; i < count; ++i) seen = static_cast<std::uint8_t>(seen | bytes[i]);
    return seen < 0x80;
}

auto judge_text(const arrow::Array& array, std::vector<Misfit>& misfits) -> void {
    const auto& texts = static_cast<const arrow::StringArray&>(array);
    const auto first = texts.value_offset(0);
    const auto total = texts.value_offset(texts.length()) - first;
    if (total == 0) return;
    // Nearly all text is ASCII, and that is seen in one pass over the whole column.
    if (is_ascii(texts.value_data()->data() + first, total)) return;
    // Fills the table that the next call reads; without it everything is valid.
    arrow::util::InitializeUTF8();
    judge_each(texts, "text is not valid utf-8", misfits,
               [&](std::int64_t row) { return arrow::util::ValidateUTF8(texts.GetView(row)); });
}

auto judge_list(const arrow::Array& array, const ColumnType& type, std::vector<Misfit>& misfits)
    -> void {
    const auto& lists = static_cast<const arrow::ListArray&>(array);
    std::vector<Misfit> items;
    judge(*lists.values(), *type.item, items);
    if (items.empty()) return;
    std::size_t next = 0;
    for (std::int64_t row = 0; row < lists.length(); ++row) {
        while (next < items.size() && items[next].row < lists.value_offset(row)) ++next;
        if (next < items.size() && lists.IsValid(row) &&
            items[next].row < lists.value_offset(row + 1))
            misfits.push_back({row, items[next].reason});
    }
}

}  // namespace

auto judge(const arrow::Array& array, const ColumnType& type, std::vector<Misfit>& misfits)
    -> void {
    if (array.null_count() == array.length()) return;
    switch (type.kind) {
        case Kind::timestamp:
        case Kind::timestamp_tz: return judge_timestamp(array, misfits);
        case Kind::date: return judge_date(array, misfits);
        case Kind::time: return judge_time(array, misfits);
        case Kind::decimal: return judge_decimal(array, type.precision, misfits);
        case Kind::text:
        case Kind::json: return judge_text(array, misfits);
        case Kind::list: return judge_list(array, type, misfits);
        default: return;
    }
}

}  // namespace leat::duckdb
