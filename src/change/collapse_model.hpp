// For tests: a table as a plain container, changed row by row as the source would (naive), or by a
// NetEffect as a sink would. Both must come to the same.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "change/net_effect_rows.hpp"

namespace leat::model {

using Row = std::vector<std::string>;

// The shortest text that reads back as the same number; NaN is NaN whatever its bits.
template <class Real>
auto real_text(Real value) -> std::string {
    if (std::isnan(value)) return "nan";
    std::array<char, 64> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return {buffer.data(), end};
}

// Text that is equal exactly when the values are. Lists as "[a, b, NULL]", times as ISO 8601.
inline auto value_text(const arrow::Array& array, std::int64_t row) -> std::string {
    if (array.IsNull(row)) return "NULL";
    if (array.type_id() == arrow::Type::DOUBLE)
        return real_text(static_cast<const arrow::DoubleArray&>(array).Value(row));
    if (array.type_id() == arrow::Type::FLOAT)
        return real_text(static_cast<const arrow::FloatArray&>(array).Value(row));
    if (array.type_id() == arrow::Type::LIST) {
        const auto items = static_cast<const arrow::ListArray&>(array).value_slice(row);
        std::string text = "[";
        for (std::int64_t i = 0; i < items->length(); ++i)
            text += (i == 0 ? "" : ", ") + value_text(*items, i);
        return text + "]";
    }
    const auto scalar = array.GetScalar(row);
    return scalar.ok() ? (*scalar)->ToString() : scalar.status().ToString();
}

// As value_text, told apart from a text that says NULL.
inline auto text_of(const arrow::Array& array, std::int64_t row) -> std::string {
    return array.IsNull(row) ? "NULL" : "=" + value_text(array, row);
}

inline auto row_of(const arrow::RecordBatch& rows, std::int64_t row, int first, int count) -> Row {
    Row result;
    for (int i = 0; i < count; ++i) result.push_back(text_of(*rows.column(first + i), row));
    return result;
}

struct Table {
    std::map<Row, Row> by_key;        // key tables
    std::map<Row, std::int64_t> bag;  // all others: row -> how often
    int incomplete = 0;

    friend auto operator==(const Table&, const Table&) -> bool = default;

    auto count(const Row& row, std::int64_t by) -> void {
        if ((bag[row] += by) == 0) bag.erase(row);
    }
};

inline auto key_of(const TableSchema& schema, const Row& row) -> Row {
    Row key;
    for (const int column : schema.key) key.push_back(row[static_cast<std::size_t>(column)]);
    return key;
}

inline auto is_unsent(const arrow::Array& unchanged, std::int64_t row, std::size_t column) -> bool {
    if (unchanged.type_id() == arrow::Type::NA || unchanged.IsNull(row)) return false;
    const auto bits = static_cast<const arrow::FixedSizeBinaryArray&>(unchanged).GetView(row);
    return ((static_cast<unsigned char>(bits[column / 8]) >> (column % 8)) & 1) != 0;
}

// One row after the other, straight from the words of change/batch.hpp.
inline auto apply_naive(const Batch& run, Table& table) -> void {
    const auto& schema = *run.schema;
    const auto columns = static_cast<int>(schema.columns.size());
    const auto& ops = static_cast<const arrow::UInt8Array&>(*run.rows->column(op_column));
    const auto& before = *run.rows->column(before_column);
    const auto& unchanged = *run.rows->column(unchanged_column);
    for (std::int64_t i = 0; i < run.rows->num_rows(); ++i) {
        const auto op = static_cast<Op>(ops.Value(i));
        auto row = row_of(*run.rows, i, first_table_column, columns);
        Row old;
        if (before.type_id() == arrow::Type::STRUCT && before.IsValid(i))
            for (const auto& child : static_cast<const arrow::StructArray&>(before).fields())
                old.push_back(text_of(*child, i));
        if (op == Op::truncate) {
            table.by_key.clear();
            table.bag.clear();
            table.incomplete = 0;
        } else if (schema.identity != RowIdentity::key) {
            for (std::size_t c = 0; c < row.size(); ++c)
                if (is_unsent(unchanged, i, c)) row[c] = old[c];
            if (op == Op::update) table.count(old, -1);
            table.count(row, op == Op::remove ? -1 : 1);
        } else if (op == Op::remove) {
            table.by_key.erase(key_of(schema, row));
        } else {
            const auto base = table.by_key.find(old.empty() ? key_of(schema, row) : old);
            bool complete = true;
            for (std::size_t c = 0; complete && c < row.size(); ++c) {
                if (!is_unsent(unchanged, i, c)) continue;
                complete = base != table.by_key.end();
                if (complete) row[c] = base->second[c];
            }
            if (base != table.by_key.end() && !old.empty()) table.by_key.erase(base);
            if (complete) table.by_key[key_of(schema, row)] = row;
            else if (op != Op::replace) ++table.incomplete;
        }
    }
}

// What a sink does with a NetEffect, through the batches only.
class SinkModel {
public:
    SinkModel(const Batch& run, Table& table) : run_(run), table_(table) {}

    // Says what a sink could not have done, empty when all went well.
    auto apply() -> std::string {
        const auto failed = run_effect();
        if (!failed) problem_ += failed.error().what;
        return problem_;
    }

private:
    auto run_effect() -> Result<void> {
        const auto effect = TRY(collapse(run_));
        const auto patches = TRY(patch_rows(run_, effect));
        const auto deletes = TRY(delete_keys(run_, effect));
        const auto inserts = TRY(insert_rows(run_, effect));
        const auto counted = TRY(counted_deletes(run_, effect));
        const auto patched = resolve(patches, effect.optional_patches);
        if (effect.emptied) table_ = Table{};
        table_.incomplete += static_cast<int>(effect.incomplete.size()) + missing_bases_;
        remove_keys(*deletes);
        remove_counted(*counted);
        for (std::int64_t i = 0; i < inserts->num_rows(); ++i)
            add(row_of(*inserts, i, 0, columns_));
        for (const auto& row : patched) add(row);
        return {};
    }

    auto resolve(const PatchRows& patches, std::size_t optional) -> std::vector<Row> {
        std::vector<Row> resolved;
        const auto keys = static_cast<int>(run_.schema->key.size());
        for (std::int64_t i = 0; i < patches.rows->num_rows(); ++i) {
            auto row = row_of(*patches.rows, i, 0, columns_);
            const auto base = table_.by_key.find(row_of(*patches.rows, i, columns_, keys));
            if (base == table_.by_key.end()) {
                if (i + static_cast<std::int64_t>(optional) < patches.rows->num_rows())
                    ++missing_bases_;
                continue;
            }
            for (std::size_t k = 0; k < patches.kept.size(); ++k) {
                const auto flags = patches.rows->column(columns_ + keys + static_cast<int>(k));
                if (!static_cast<const arrow::BooleanArray&>(*flags).Value(i)) continue;
                const auto column = static_cast<std::size_t>(patches.kept[k]);
                if (row[column] != "NULL") problem_ += "a kept column has a value; ";
                row[column] = base->second[column];
            }
            resolved.push_back(std::move(row));
        }
        return resolved;
    }

    auto remove_keys(const arrow::RecordBatch& keys) -> void {
        std::set<Row> seen;
        for (std::int64_t i = 0; i < keys.num_rows(); ++i) {
            const auto key = row_of(keys, i, 0, keys.num_columns());
            if (!seen.insert(key).second) problem_ += "a key is deleted twice; ";
            table_.by_key.erase(key);
        }
    }

    auto remove_counted(const arrow::RecordBatch& rows) -> void {
        const auto& counts = static_cast<const arrow::Int64Array&>(*rows.column(columns_));
        for (std::int64_t i = 0; i < rows.num_rows(); ++i)
            table_.count(row_of(rows, i, 0, columns_), -counts.Value(i));
    }

    auto add(const Row& row) -> void {
        if (run_.schema->identity != RowIdentity::key) return table_.count(row, 1);
        if (!table_.by_key.emplace(key_of(*run_.schema, row), row).second)
            problem_ += "a key is added while the sink still holds it; ";
    }

    const Batch& run_;
    Table& table_;
    int columns_ = static_cast<int>(run_.schema->columns.size());
    int missing_bases_ = 0;
    std::string problem_;
};

}  // namespace leat::model
