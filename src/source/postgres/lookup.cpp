// One query per batch: all its partial rows, all columns that any of them lacks.
#include "source/postgres/lookup.hpp"

#include <arrow/array.h>
#include <arrow/array/builder_base.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "change/pick_rows.hpp"
#include "source/postgres/key_text.hpp"
#include "source/postgres/type_change.hpp"

namespace leat::postgres {

namespace {

constexpr std::string_view undefined_table = "42P01";

using ArrayPtr = std::shared_ptr<arrow::Array>;

auto arrow_error(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "rows cannot be completed: " + status.message(), "",
                 "postgres lookup"};
}

auto is_unsent(const Batch& batch, std::int64_t row, std::size_t column) -> bool {
    const auto& bits =
        static_cast<const arrow::FixedSizeBinaryArray&>(*batch.rows->column(unchanged_column));
    return !bits.IsNull(row) && ((bits.GetValue(row)[column / 8] >> (column % 8)) & 1) != 0;
}

// The keys of partial rows as array literals, one per key column; rows whose key cannot be written
// are not among them.
struct Wanted {
    std::vector<std::int64_t> rows;
    std::vector<std::string> keys;
};

auto wanted_of(const Batch& batch, const std::vector<std::int64_t>& partial) -> Wanted {
    const auto& key = batch.schema->key;
    Wanted wanted{{}, std::vector<std::string>(key.size())};
    for (const auto row : partial) {
        std::vector<std::string> values;
        for (const int column : key)
            if (const auto text = key_text(*batch.rows->column(first_table_column + column), row))
                values.push_back(*text);
        if (values.size() != key.size()) continue;
        wanted.rows.push_back(row);
        for (std::size_t i = 0; i < values.size(); ++i) append_element(wanted.keys[i], values[i]);
    }
    return wanted;
}

// A column that some of the rows lack: the values read for it, by place among the wanted rows.
struct ReadColumn {
    std::size_t index = 0;               // in the schema
    const CatalogColumn* now = nullptr;  // null: dropped since
    ArrayPtr values{};
};

auto type_names(Connection& sql, const CatalogTable& table, const TableSchema& schema)
    -> Result<std::vector<std::string>> {
    std::vector<std::string> names;
    for (const int index : schema.key) {
        const auto* now = table.column(schema.columns[static_cast<std::size_t>(index)].id);
        if (now == nullptr) return std::vector<std::string>();
        const auto rows =
            TRY(sql.query("SELECT format_type($1, NULL)", {std::to_string(now->type_oid)}));
        names.emplace_back(rows.text(0, 0));
    }
    return names;
}

auto only(const CatalogTable& table) -> std::string {
    return table.kind == 'p' ? "" : "ONLY ";
}

// Number of the key, then the columns.
auto statement_of(const CatalogTable& table, const TableSchema& schema, const Wanted& wanted,
                  const std::vector<std::string>& types, const std::vector<ReadColumn>& columns)
    -> std::string {
    std::string list = "SELECT k.n";
    for (const auto& column : columns)
        if (column.now != nullptr) list += ", t." + quote_name(column.now->name);
    std::string arrays;
    std::string names;
    std::string on;
    for (std::size_t i = 0; i < wanted.keys.size(); ++i) {
        const auto id = schema.columns[static_cast<std::size_t>(schema.key[i])].id;
        const auto name = "k.c" + std::to_string(i);
        arrays += (i == 0 ? "" : ", ") + quote_text(wanted.keys[i] + "}") + "::text[]";
        names += "c" + std::to_string(i) + ", ";
        on += (i == 0 ? "t." : " AND t.") + quote_name(table.column(id)->name) + " = " + name +
              "::" + types[i];
    }
    return list + " FROM unnest(" + arrays + ") WITH ORDINALITY AS k(" + names + "n) JOIN " +
           only(table) + quote_table(table.name) + " AS t ON " + on;
}

// The batch with what was read put into its rows; rows that were not found go.
class Completer {
public:
    Completer(const Batch& batch, const Wanted& wanted, const std::vector<ReadColumn>& columns,
              std::vector<char> found)
        : batch_(batch), wanted_(wanted), columns_(columns), found_(std::move(found)) {}

    auto run() -> Result<Completed> {
        auto arrays = batch_.rows->columns();
        for (const auto& column : columns_) TRY(fill(column, arrays));
        arrays[unchanged_column] = TRY(unchanged());
        const BatchShape shape{
            .with_before = arrays[before_column]->type_id() != arrow::Type::NA,
            .with_unchanged = arrays[unchanged_column]->type_id() != arrow::Type::NA};
        const Batch filled{batch_.schema,
                           arrow::RecordBatch::Make(TRY(to_arrow(*batch_.schema, shape)),
                                                    batch_.rows->num_rows(), std::move(arrays))};
        return leave_out(filled);
    }

private:
    auto fill(const ReadColumn& column, arrow::ArrayVector& arrays) const -> Result<void> {
        auto& array = arrays[first_table_column + column.index];
        const auto rows = array->length();
        std::vector<std::int64_t> from(static_cast<std::size_t>(rows));
        for (std::int64_t row = 0; row < rows; ++row) from[static_cast<std::size_t>(row)] = row;
        for (std::size_t i = 0; i < wanted_.rows.size(); ++i)
            if (found_[i] != 0 && is_unsent(batch_, wanted_.rows[i], column.index))
                from[static_cast<std::size_t>(wanted_.rows[i])] =
                    rows + static_cast<std::int64_t>(i);
        auto both = arrow::Concatenate({array, column.values});
        if (!both.ok()) return arrow_error(both.status());
        array = TRY(take_values(*both, from));
        return {};
    }

    // What is left of the marks: those of rows that could not be looked up.
    auto unchanged() const -> Result<ArrayPtr> {
        const auto& marks = batch_.rows->column(unchanged_column);
        std::vector<std::int64_t> from(static_cast<std::size_t>(marks->length()));
        for (std::size_t row = 0; row < from.size(); ++row)
            from[row] = static_cast<std::int64_t>(row);
        for (std::size_t i = 0; i < wanted_.rows.size(); ++i)
            from[static_cast<std::size_t>(wanted_.rows[i])] = -1;
        auto left = TRY(take_values(marks, from));
        if (left->null_count() < left->length()) return left;
        return ArrayPtr(std::make_shared<arrow::NullArray>(marks->length()));
    }

    auto leave_out(const Batch& filled) const -> Result<Completed> {
        Completed completed{filled};
        std::vector<PickedRow> picks;
        const auto& before = *batch_.rows->column(before_column);
        std::size_t next = 0;
        for (std::int64_t row = 0; row < filled.rows->num_rows(); ++row) {
            const bool is_wanted = next < wanted_.rows.size() && wanted_.rows[next] == row;
            const bool is_gone = is_wanted && found_[next] == 0;
            const bool has_moved = before.type_id() != arrow::Type::NA && before.IsValid(row);
            if (is_wanted) ++next;
            if (is_gone && !has_moved) {
                ++completed.gone;
                continue;
            }
            if (is_gone) ++completed.gone_as_deletes;
            else if (is_wanted) ++completed.looked_up;
            picks.push_back({row, is_gone ? Pick::remove : Pick::keep});
        }
        if (completed.gone + completed.gone_as_deletes > 0)
            completed.batch = TRY(pick_rows(filled, picks));
        return completed;
    }

    const Batch& batch_;
    const Wanted& wanted_;
    const std::vector<ReadColumn>& columns_;
    const std::vector<char> found_;
};

// The values of one column by place; false: one does not fit its type any more.
auto read_values(const Rows& rows, const std::vector<int>& row_of, int at,
                 const pgtype::ColumnMapping& mapping, ReadColumn& column) -> Result<bool> {
    auto builder = arrow::MakeBuilder(mapping.type);
    if (!builder.ok()) return arrow_error(builder.status());
    auto writer = TRY(pgtype::ValueWriter::make(mapping, builder->get()));
    for (const int row : row_of) {
        const bool is_null = row < 0 || at < 0 || rows.is_null(row, at);
        const auto fault = is_null ? writer.append_null() : writer.append_text(rows.text(row, at));
        if (fault != pgtype::ValueFault::none) return false;
    }
    auto array = (*builder)->Finish();
    if (!array.ok()) return arrow_error(array.status());
    column.values = *std::move(array);
    return true;
}

}  // namespace

auto RowLookup::complete(const Batch& batch, const CatalogTable& table,
                         const std::vector<std::uint32_t>& xids, const std::stop_token& stop)
    -> Result<Completed> {
    std::vector<std::int64_t> partial;
    for (std::int64_t row = 0; row < batch.rows->num_rows(); ++row)
        if (is_partial(batch, row)) partial.push_back(row);
    if (partial.empty()) return Completed{batch};
    if (!sql_) sql_ = TRY(Connection::connect(options_));
    auto completed = [&]() -> Result<Completed> {
        TRY(await_visible(*sql_, xids));
        const auto locked = sql_->query_patiently(
            "BEGIN; LOCK TABLE " + only(table) + quote_table(table.name) + " IN ACCESS SHARE MODE",
            stop, {});
        if (!locked && sqlstate(locked.error()) == undefined_table) {
            sql_.reset();
            return Completed{batch};
        }
        if (!locked) return locked.error();
        auto result = TRY(read(batch, table, partial, stop));
        TRY(sql_->query("COMMIT"));
        return result;
    }();
    if (!completed) sql_.reset();
    return completed;
}

auto RowLookup::read(const Batch& batch, const CatalogTable& table,
                     const std::vector<std::int64_t>& rows, const std::stop_token& stop)
    -> Result<Completed> {
    const auto now = TRY(load_table(*sql_, table.name));
    const auto wanted = wanted_of(batch, rows);
    if (!now || now->oid != table.oid || wanted.rows.empty()) return Completed{batch};
    const auto types = TRY(type_names(*sql_, *now, *batch.schema));
    if (types.empty()) return Completed{batch};
    std::vector<ReadColumn> columns;
    for (std::size_t i = 0; i < batch.schema->columns.size(); ++i)
        if (std::any_of(wanted.rows.begin(), wanted.rows.end(),
                        [&](std::int64_t row) { return is_unsent(batch, row, i); }))
            columns.push_back({i, now->column(batch.schema->columns[i].id)});

    const auto found = TRY(
        sql_->query_patiently(statement_of(*now, *batch.schema, wanted, types, columns), stop, {}));
    std::vector<int> row_of(wanted.rows.size(), -1);
    std::vector<char> is_found(wanted.rows.size());
    for (int row = 0; row < found.count(); ++row) {
        const auto place = static_cast<std::size_t>(found.number(row, 0) - 1);
        row_of[place] = row;
        is_found[place] = 1;
    }
    int at = 0;
    for (auto& column : columns) {
        const auto& known = batch.schema->columns[column.index];
        static const CatalogColumn dropped;
        const auto mapping = TRY(mapping_of(known, column.now == nullptr ? dropped : *column.now));
        const int place = column.now == nullptr ? -1 : ++at;
        if (!mapping || !TRY(read_values(found, row_of, place, *mapping, column)))
            return Completed{batch};
    }
    return Completer(batch, wanted, columns, std::move(is_found)).run();
}

auto RowLookup::mapping_of(const Column& column, const CatalogColumn& now)
    -> Result<std::optional<pgtype::ColumnMapping>> {
    auto type = TRY(types_.resolve(*sql_, {now.type_oid, now.type_modifier, now.dimensions}));
    if (auto mapping = mapping_like(column, type)) return mapping;
    // It has another type since: what fits the one it had is good.
    type = TRY(types_.resolve(*sql_, parse_source_type(column.source_type)));
    type.dimensions = column.type->id() == arrow::Type::LIST ? 1 : 2;
    return mapping_like(column, type);
}

}  // namespace leat::postgres
