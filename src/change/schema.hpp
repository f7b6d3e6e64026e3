// TableSchema: a table as the source describes it from some position on. Immutable once shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/progress.hpp"

namespace arrow {
class DataType;
class Scalar;
class Schema;
}  // namespace arrow

namespace leat {

// `type` is the Arrow type of the values. `logical_type` is the tag that lets a sink restore what
// Arrow cannot say ("uuid" over fixed_size_binary(16), "numeric" over utf8, "json", "enum",
// "timestamptz", "interval", … or the source's own type name over utf8); empty where the Arrow
// type says all; `misfits_type` for a column that no sink gets. Timestamps: int64 min/max are -infinity/infinity; date32 likewise int32 min/max.
// `id` identifies the column at the source for as long as it lives (PostgreSQL: attnum): the same
// name under another id is another column, another name under the same id is a rename.
// `source_type`: the declared type as the source writes it down for itself; empty: not known.
// `default_value`: the constant that rows which existed before the column have in it, for
// backfill; null pointer: NULL.
struct Column {
    std::string name;
    std::shared_ptr<arrow::DataType> type;
    std::string logical_type;
    bool nullable = true;
    std::int32_t id = 0;
    std::shared_ptr<arrow::Scalar> default_value;
    std::string source_type{};
};

// Of the column, one at most, in which the source says what of a row does not fit its columns, as
// JSON text; NULL: all of it fits. Lanes make a dead letter of a row with such values.
inline constexpr std::string_view misfits_type = "misfits";

// How the source names an old row.
enum class RowIdentity : std::uint8_t {
    key,          // by the key columns
    full_row,     // no key: the whole old row is sent; rows are counted with multiplicity
    append_only,  // no key, no old rows: inserts (and truncate) only
};

// Versions of one table count up from 1 in order of position. `generation`: of the image that the
// rows are of or follow; towards a sink 0 stands for the live table (sink/sink.hpp).
struct TableSchema {
    TableName name;
    std::vector<Column> columns;
    std::vector<int> key;  // indices into columns, in key order; empty unless identity is key
    RowIdentity identity = RowIdentity::key;
    std::uint64_t version = 1;
    Generation generation = 0;

    [[nodiscard]] auto column_index(std::string_view column) const -> int;  // -1: none
    [[nodiscard]] auto is_key(int column) const -> bool;
};

using SchemaPtr = std::shared_ptr<const TableSchema>;

// The table's identity columns, those that `_before` carries: the key, or all for full_row.
auto identity_columns(const TableSchema& schema) -> std::vector<int>;

// Same columns (name, type, tag, id, source type), key and identity; version, generation, defaults, nullability
// are not compared.
auto same_shape(const TableSchema& a, const TableSchema& b) -> bool;

// The Arrow schema of a Batch of this table (change/batch.hpp says the layout). Everything in
// TableSchema travels in its metadata ("leat.table", "leat.version", … and per field "leat.id",
// "leat.type", "leat.default"), so that from_arrow() restores it from any file or stream.
// `with_before` / `with_unchanged`: the optional columns are present, else of Arrow type null.
struct BatchShape {
    bool with_before = false;
    bool with_unchanged = false;
};
auto to_arrow(const TableSchema& schema, BatchShape shape) -> Result<std::shared_ptr<arrow::Schema>>;
auto from_arrow(const arrow::Schema& schema) -> Result<SchemaPtr>;

}  // namespace leat
