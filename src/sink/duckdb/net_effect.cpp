// A run's net effect as appends and statements over a stage.
#include "sink/duckdb/net_effect.hpp"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <numeric>

#include "sink/duckdb/column_type.hpp"

namespace leat::duckdb {

namespace {

constexpr auto completed_table = "_leat_completed";
constexpr auto removed_table = "_leat_removed";

auto type_of(const Column& column) -> ColumnType {
    return column_type(*column.type, column.logical_type);
}

auto all_columns(const arrow::RecordBatch& rows) -> std::vector<const arrow::Array*> {
    std::vector<const arrow::Array*> arrays;
    for (const auto& array : rows.columns()) arrays.push_back(array.get());
    return arrays;
}

auto boolean_type() -> ColumnType {
    return column_type(*arrow::boolean(), "");
}
auto count_type() -> ColumnType {
    return column_type(*arrow::int64(), "");
}

auto incomplete(const TableSchema& schema, std::int64_t rows) -> Error {
    return {Fault::poison,
            "incomplete rows without a base row in table " + to_string(schema.name) + ": " +
                std::to_string(rows),
            "Set REPLICA IDENTITY FULL at the source, run `leat drop FILE`, move the warehouse file "
            "away and start again.",
            to_string(schema.name), Code::duckdb_incomplete};
}

auto diverged(const TableSchema& schema, const char* what, std::int64_t rows) -> Error {
    return {Fault::fatal,
            "duckdb table " + to_string(schema.name) + " differs from the source: " + what + ": " +
                std::to_string(rows),
            "Run `leat drop FILE`, move the warehouse file away and start again.",
            to_string(schema.name), Code::duckdb_altered};
}

}  // namespace

NetEffectWriter::NetEffectWriter(Connection& connection, const TargetTable& table)
    : connection_(connection), table_(table), target_("main." + quoted(table.name)) {
    for (const auto& name : table.columns) places_.push_back(table.applied->column_index(name));
}

auto NetEffectWriter::column(int index) const -> const Column& {
    return table_.applied->columns[static_cast<std::size_t>(index)];
}

auto NetEffectWriter::appender() -> Result<Appender> {
    std::vector<ColumnType> types;
    for (const int place : places_)
        types.push_back(place < 0 ? ColumnType{} : type_of(column(place)));
    return Appender::into_table(connection_, table_.name, false, std::move(types));
}

auto NetEffectWriter::in_table_order(const arrow::RecordBatch& rows, int first) const
    -> std::vector<const arrow::Array*> {
    std::vector<const arrow::Array*> arrays;
    for (const int place : places_)
        arrays.push_back(place < 0 ? nullptr : rows.column(first + place).get());
    return arrays;
}

auto NetEffectWriter::apply(const Batch& run, const NetEffect& effect) -> Result<void> {
    if (!effect.incomplete.empty())
        return incomplete(*run.schema, static_cast<std::int64_t>(effect.incomplete.size()));
    if (!effect.patches.empty()) 
        TRY(complete_patches(TRY(patch_rows(run, effect)), effect.optional_patches));
    if (effect.emptied) TRY(connection_.execute("DELETE FROM " + target_));
    if (!effect.deletes.empty()) TRY(remove_keys(run, effect));
    if (!effect.row_deletes.empty()) TRY(remove_counted(run, effect));
    const auto inserts = TRY(insert_rows(run, effect));
    if (inserts->num_rows() > 0) {
        auto out = TRY(appender());
        TRY(out.append(in_table_order(*inserts, 0), inserts->num_rows()));
        TRY(out.finish());
    }
    if (!effect.patches.empty())
        TRY(connection_.execute("INSERT INTO " + target_ + " SELECT * FROM temp." +
                                quoted(completed_table)));
    return {};
}

auto NetEffectWriter::remove_keys(const Batch& run, const NetEffect& effect) -> Result<void> {
    const auto keys = TRY(delete_keys(run, effect));
    std::vector<StageColumn> stage;
    std::string condition;
    for (std::size_t i = 0; i < table_.applied->key.size(); ++i) {
        const auto& key = column(table_.applied->key[i]);
        const auto name = "k" + std::to_string(i);
        condition +=
            (i == 0 ? "" : " AND ") + std::string("t.") + quoted(key.name) + " = stage." + name;
        stage.push_back({name, type_of(key)});
    }
    auto out = TRY(Appender::into_statement(
        connection_, "DELETE FROM " + target_ + " AS t USING stage WHERE " + condition, stage));
    TRY(out.append(all_columns(*keys), keys->num_rows()));
    return out.finish();
}

// Removes exactly as many copies of each row as were deleted at the source.
auto NetEffectWriter::remove_counted(const Batch& run, const NetEffect& effect) -> Result<void> {
    const auto rows = TRY(counted_deletes(run, effect));
    std::string columns;
    std::string condition;
    std::vector<ColumnType> types;
    for (std::size_t i = 0; i < table_.applied->columns.size(); ++i) {
        const auto& live = table_.applied->columns[i];
        const auto staged = "c" + std::to_string(i);
        types.push_back(type_of(live));
        columns += staged + " " + types.back().sql + ", ";
        const auto mine = "t." + quoted(live.name);
        condition += (i == 0 ? "" : " AND ") + mine + " IS NOT DISTINCT FROM s." + staged;
    }
    types.push_back(count_type());
    TRY(connection_.execute("CREATE OR REPLACE TEMP TABLE " + quoted(removed_table) + " (" +
                            columns + "n BIGINT)"));
    auto out = TRY(Appender::into_table(connection_, removed_table, true, std::move(types)));
    TRY(out.append(all_columns(*rows), rows->num_rows()));
    TRY(out.finish());
    const auto removed = TRY(connection_.execute(
        "DELETE FROM " + target_ +
        " WHERE rowid IN (SELECT id FROM (SELECT t.rowid AS id, s.n, "
        "row_number() OVER (PARTITION BY s.rowid ORDER BY t.rowid) AS copy FROM " +
        target_ + " AS t JOIN temp." + quoted(removed_table) + " AS s ON " + condition +
        ") WHERE copy <= n)"));
    const auto wanted =
        std::accumulate(effect.row_deletes.begin(), effect.row_deletes.end(), std::int64_t{0},
                        [](std::int64_t sum, const CountedRow& row) { return sum + row.count; });
    if (removed != wanted)
        return diverged(*run.schema, "rows to delete are missing", wanted - removed);
    return {};
}

auto NetEffectWriter::completion_sql(const PatchRows& patches) const -> std::string {
    std::string values;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto place = places_[i];
        values += i == 0 ? "" : ", ";
        if (place < 0) {
            values += "NULL";
            continue;
        }
        const auto staged = "stage.c" + std::to_string(place);
        const auto kept = std::find(patches.kept.begin(), patches.kept.end(), place);
        if (kept == patches.kept.end()) {
            values += staged;
        } else {
            values += "CASE WHEN stage.keep" + std::to_string(kept - patches.kept.begin()) +
                      " THEN t." + quoted(table_.columns[i]) + " ELSE " + staged + " END";
        }
    }
    std::string condition;
    for (std::size_t i = 0; i < table_.applied->key.size(); ++i)
        condition += (i == 0 ? "t." : " AND t.") + quoted(column(table_.applied->key[i]).name) +
                     " = stage.base" + std::to_string(i);
    return "INSERT INTO temp." + quoted(completed_table) + " SELECT " + values + " FROM " +
           target_ + " AS t JOIN stage ON " + condition;
}

// Joins the partial rows with their base rows, before anything of the run touches the table. The
// last ones may have none, and are nothing then.
auto NetEffectWriter::complete_patches(const PatchRows& patches, std::size_t optional)
    -> Result<void> {
    TRY(connection_.execute("CREATE OR REPLACE TEMP TABLE " + quoted(completed_table) +
                            " AS SELECT * FROM " + target_ + " LIMIT 0"));
    const auto all = patches.rows->num_rows();
    const auto wanted = all - static_cast<std::int64_t>(optional);
    const auto found = TRY(complete(patches, 0, wanted));
    if (found < wanted) return incomplete(*table_.applied, wanted - found);
    const auto most = found > wanted ? wanted : all;
    const auto in_all = optional == 0 ? found : TRY(complete(patches, wanted, all - wanted));
    if (in_all > most) return diverged(*table_.applied, "a key stands twice", in_all - most);
    return {};
}

// Yields how many rows are complete by now.
auto NetEffectWriter::complete(const PatchRows& patches, std::int64_t from, std::int64_t count)
    -> Result<std::int64_t> {
    std::vector<StageColumn> stage;
    for (std::size_t i = 0; i < table_.applied->columns.size(); ++i)
        stage.push_back({"c" + std::to_string(i), type_of(table_.applied->columns[i])});
    for (std::size_t i = 0; i < table_.applied->key.size(); ++i)
        stage.push_back({"base" + std::to_string(i), type_of(column(table_.applied->key[i]))});
    for (std::size_t i = 0; i < patches.kept.size(); ++i)
        stage.push_back({"keep" + std::to_string(i), boolean_type()});
    if (count > 0) {
        const auto rows = patches.rows->Slice(from, count);
        auto out = TRY(Appender::into_statement(connection_, completion_sql(patches), stage));
        TRY(out.append(all_columns(*rows), count));
        TRY(out.finish());
    }
    const auto counted =
        TRY(connection_.rows("SELECT count(*)::VARCHAR FROM temp." + quoted(completed_table)));
    return std::stoll(counted.at(0).at(0).value_or("0"));
}

}  // namespace leat::duckdb
