// Runs a prepared plan over batches, isolates failing rows by bisection; see program.hpp.
#include "transform/sql/program.hpp"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "base/check.hpp"
#include "transform/sql/exchange.hpp"

namespace leat::sql {

namespace {

auto failed(const std::string& what) -> Error {
    return Error{Fault::fatal, "transform: " + what, "", "duckdb"};
}
auto failed(const arrow::Status& status) -> Error { return failed(status.message()); }

using ErrorData = Owned<duckdb_error_data, duckdb_destroy_error_data>;

auto check(duckdb_error_data raw) -> Result<void> {
    const ErrorData error(raw);
    if (error && duckdb_error_data_has_error(raw)) return failed(duckdb_error_data_message(raw));
    return {};
}

// Names of table functions are the database's, so each program takes its own.
auto next_name() -> std::string {
    static std::atomic<std::uint64_t> count{0};
    return "leat_rows_" + std::to_string(++count);
}

// DuckDB's messages go on with the statement and a caret, which is not the user's text.
auto headline(const std::string& text) -> std::string { return text.substr(0, text.find('\n')); }

}  // namespace

// What the table function hands out: the columns of a batch, one vector of rows at a time.
struct Program::Feed {
    duckdb_connection connection = nullptr;
    std::shared_ptr<arrow::Schema> schema;  // without the row number
    Owned<duckdb_arrow_converted_schema, duckdb_destroy_arrow_converted_schema> converted;
    std::vector<LogicalType> types;
    std::vector<std::string> names;
    std::shared_ptr<arrow::RecordBatch> rows;
    std::int64_t next = 0;
    std::int64_t end = 0;

    auto hand_out(duckdb_data_chunk out) -> Result<void> {
        const auto count = std::min<std::int64_t>(
            end - next, static_cast<std::int64_t>(duckdb_vector_size()));
        auto* const numbers = static_cast<std::int64_t*>(
            duckdb_vector_get_data(duckdb_data_chunk_get_vector(out, 0)));
        for (std::int64_t i = 0; i < count; ++i) numbers[i] = next + i;
        if (count > 0 && rows->num_columns() > 0) {
            ArrowArray array;
            if (auto status = arrow::ExportRecordBatch(*rows->Slice(next, count), &array);
                !status.ok())
                return failed(status);
            duckdb_data_chunk raw = nullptr;
            const auto taken =
                check(duckdb_data_chunk_from_arrow(connection, &array, converted.get(), &raw));
            const Chunk chunk(raw);
            if (array.release != nullptr) array.release(&array);
            TRY(taken);
            for (int column = 0; column < rows->num_columns(); ++column)
                duckdb_vector_reference_vector(
                    duckdb_data_chunk_get_vector(out, static_cast<idx_t>(column + 1)),
                    duckdb_data_chunk_get_vector(raw, static_cast<idx_t>(column)));
        }
        duckdb_data_chunk_set_size(out, static_cast<idx_t>(count));
        next += count;
        return {};
    }

    static auto bind(duckdb_bind_info info) -> void {
        auto& feed = *static_cast<Feed*>(duckdb_bind_get_extra_info(info));
        const LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
        duckdb_bind_add_result_column(info, row_column, number.get());
        for (std::size_t i = 0; i < feed.types.size(); ++i)
            duckdb_bind_add_result_column(info, feed.names[i].c_str(), feed.types[i].get());
    }
    static auto init(duckdb_init_info info) -> void { duckdb_init_set_max_threads(info, 1); }
    static auto produce(duckdb_function_info info, duckdb_data_chunk out) -> void {
        auto& feed = *static_cast<Feed*>(duckdb_function_get_extra_info(info));
        if (const auto done = feed.hand_out(out); !done)
            duckdb_function_set_error(info, done.error().what.c_str());
    }
};

// The plan with or without skip columns.
struct Program::Variant {
    std::unique_ptr<Feed> feed = std::make_unique<Feed>();
    Statement statement;
};

Program::Program() = default;
Program::~Program() {
    whole_.reset();
    with_skips_.reset();
}

auto Program::prepare(const Query& query, const Plan& plan, bool with_skips) -> Result<Variant> {
    Variant variant;
    auto& feed = *variant.feed;
    feed.connection = connection_.get();
    arrow::FieldVector fields;
    for (const int index : plan.used) {
        const auto& column = plan.input->columns[static_cast<std::size_t>(index)];
        fields.push_back(field_for_duckdb(column.name, *column.type, column.logical_type));
    }
    if (with_skips)
        for (std::size_t i = 0; i < plan.computed.size(); ++i)
            fields.push_back(
                arrow::field(skip_column + std::to_string(i), arrow::boolean()));
    feed.schema = arrow::schema(fields);
    ArrowSchema exported;
    if (auto status = arrow::ExportSchema(*feed.schema, &exported); !status.ok())
        return failed(status);
    duckdb_arrow_converted_schema converted = nullptr;
    const auto taken = check(duckdb_schema_from_arrow(connection_.get(), &exported, &converted));
    if (exported.release != nullptr) exported.release(&exported);
    feed.converted.reset(converted);
    TRY(taken);
    // The types, as DuckDB sees them: those of an empty chunk.
    auto empty = arrow::RecordBatch::MakeEmpty(feed.schema);
    if (!empty.ok()) return failed(empty.status());
    ArrowArray array;
    if (auto status = arrow::ExportRecordBatch(**empty, &array); !status.ok())
        return failed(status);
    duckdb_data_chunk raw_chunk = nullptr;
    const auto read =
        check(duckdb_data_chunk_from_arrow(connection_.get(), &array, converted, &raw_chunk));
    const Chunk chunk(raw_chunk);
    if (array.release != nullptr) array.release(&array);
    TRY(read);
    for (int i = 0; i < feed.schema->num_fields(); ++i) {
        const auto vector = duckdb_data_chunk_get_vector(raw_chunk, static_cast<idx_t>(i));
        feed.types.emplace_back(duckdb_vector_get_column_type(vector));
        feed.names.push_back(feed.schema->field(i)->name());
    }
    const auto name = next_name();
    Owned<duckdb_table_function, duckdb_destroy_table_function> function(
        duckdb_create_table_function());
    duckdb_table_function_set_name(function.get(), name.c_str());
    duckdb_table_function_set_extra_info(function.get(), &feed, nullptr);
    duckdb_table_function_set_bind(function.get(), &Feed::bind);
    duckdb_table_function_set_init(function.get(), &Feed::init);
    duckdb_table_function_set_function(function.get(), &Feed::produce);
    if (duckdb_register_table_function(connection_.get(), function.get()) != DuckDBSuccess)
        return failed("table function");
    const auto sql = TRY(statement_of(*engine_, plan, name, with_skips));
    duckdb_prepared_statement raw = nullptr;
    const auto prepared = duckdb_prepare(connection_.get(), sql.c_str(), &raw);
    variant.statement.reset(raw);
    if (prepared != DuckDBSuccess)
        return refused(query.name, query.text, -1, headline(duckdb_prepare_error(raw)),
                       "Make the types fit, for example by a cast.");
    return variant;
}

auto Program::make(std::shared_ptr<Engine> engine, const Query& query, const Plan& plan)
    -> Result<std::unique_ptr<Program>> {
    auto program = std::unique_ptr<Program>(new Program());
    program->connection_ = TRY(engine->connect());
    program->engine_ = std::move(engine);
    program->whole_ = std::make_unique<Variant>(TRY(program->prepare(query, plan, false)));
    program->with_skips_ = std::make_unique<Variant>(TRY(program->prepare(query, plan, true)));
    auto* const statement = program->whole_->statement.get();
    arrow::FieldVector fields = {arrow::field("row", arrow::int64())};
    for (std::size_t i = 0; i < plan.computed.size(); ++i) {
        const LogicalType type(duckdb_prepared_statement_column_logical_type(statement, i + 1));
        auto column = column_from_duckdb(type.get());
        const bool is_condition = i + plan.conditions >= plan.computed.size();
        if (column && is_condition && column->type->id() != arrow::Type::BOOL)
            column = Error{Fault::config, "an expectation is no condition",
                           "Write something that is true or false.", ""};
        if (!column)
            return refused(query.name, query.text, -1, column.error().what, column.error().hint);
        program->types_.push_back(*column);
        fields.push_back(arrow::field("c", column->logical_type == "uuid" ? arrow::utf8()
                                                                           : column->type));
    }
    program->result_schema_ = arrow::schema(fields);
    return program;
}

auto Program::run(std::int64_t rows, const std::vector<std::shared_ptr<arrow::Array>>& columns,
                  const std::vector<std::shared_ptr<arrow::Array>>& skips) -> Result<Outcomes> {
    auto& variant = skips.empty() ? *whole_ : *with_skips_;
    arrow::ArrayVector arrays;
    for (const auto& column : columns) arrays.push_back(TRY(infinities_to_duckdb(column)));
    arrays.insert(arrays.end(), skips.begin(), skips.end());
    variant.feed->rows = arrow::RecordBatch::Make(variant.feed->schema, rows, std::move(arrays));
    parts_.assign(types_.size(), {});
    Outcomes outcomes;
    if (rows > 0) TRY(run_range(variant, 0, rows, outcomes));
    variant.feed->rows.reset();
    for (std::size_t i = 0; i < types_.size(); ++i) {
        auto whole = parts_[i].empty() ? arrow::MakeEmptyArray(types_[i].type)
                     : parts_[i].size() == 1
                         ? arrow::Result<std::shared_ptr<arrow::Array>>(parts_[i].front())
                         : arrow::Concatenate(parts_[i]);
        if (!whole.ok()) return failed(whole.status());
        outcomes.values.push_back(*std::move(whole));
    }
    std::sort(outcomes.failed.begin(), outcomes.failed.end(),
              [](const Failure& a, const Failure& b) { return a.row < b.row; });
    return outcomes;
}

// One error fails the whole statement: the halves are tried until the row stands alone.
auto Program::run_range(Variant& variant, std::int64_t from, std::int64_t count,
                        Outcomes& outcomes) -> Result<void> {
    variant.feed->next = from;
    variant.feed->end = from + count;
    Outcome outcome;
    if (duckdb_execute_prepared(variant.statement.get(), outcome.get()) == DuckDBSuccess)
        return collect(outcome.get(), outcomes);
    const auto type = duckdb_result_error_type(outcome.get());
    const bool is_passing = type == DUCKDB_ERROR_OUT_OF_MEMORY || type == DUCKDB_ERROR_INTERRUPT ||
                            type == DUCKDB_ERROR_INTERNAL || type == DUCKDB_ERROR_FATAL;
    if (is_passing) return Error{Fault::retry, "transform: " + outcome.message(), "", "duckdb"};
    if (count == 1) {
        outcomes.failed.push_back({from, outcome.message()});
        return {};
    }
    TRY(run_range(variant, from, count / 2, outcomes));
    return run_range(variant, from + count / 2, count - count / 2, outcomes);
}

auto Program::collect(duckdb_result* result, Outcomes& outcomes) -> Result<void> {
    const ArrowOptions options(duckdb_result_get_arrow_options(result));
    while (true) {
        const Chunk chunk(duckdb_fetch_chunk(*result));
        if (!chunk || duckdb_data_chunk_get_size(chunk.get()) == 0) return {};
        ArrowArray array;
        TRY(check(duckdb_data_chunk_to_arrow(options.get(), chunk.get(), &array)));
        auto batch = arrow::ImportRecordBatch(&array, result_schema_);
        if (!batch.ok()) return failed(batch.status());
        const auto& numbers = static_cast<const arrow::Int64Array&>(*(*batch)->column(0));
        outcomes.rows.insert(outcomes.rows.end(), numbers.raw_values(),
                             numbers.raw_values() + numbers.length());
        for (std::size_t i = 0; i < types_.size(); ++i)
            parts_[i].push_back(
                TRY(from_duckdb((*batch)->column(static_cast<int>(i) + 1), types_[i].type)));
    }
}

}  // namespace leat::sql
