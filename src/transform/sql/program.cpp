// Runs a prepared plan over batches, isolates failing rows by bisection; see program.hpp.
#include "transform/sql/program.hpp"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <atomic>
#include <numeric>

#include "base/check.hpp"
#include "transform/sql/exchange.hpp"

namespace leat::sql {

namespace {

auto failed(const std::string& what) -> Error {
    return Error{Fault::fatal, "transform: " + what, "", "duckdb"};
}
auto failed(const arrow::Status& status) -> Error { return failed(status.message()); }

using ErrorData = Owned<duckdb_error_data, duckdb_destroy_error_data>;
using ConvertedSchema =
    Owned<duckdb_arrow_converted_schema, duckdb_destroy_arrow_converted_schema>;

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
    struct Input {
        std::string name;
        LogicalType type;
        duckdb_type stored = DUCKDB_TYPE_INVALID;
        std::shared_ptr<arrow::Schema> schema;  // of this column alone
        ConvertedSchema converted;              // not for direct types
    };

    duckdb_connection connection = nullptr;
    std::vector<Input> inputs;
    arrow::ArrayVector columns;  // of the batch at hand; text in vectors points into them
    std::int64_t next = 0;
    std::int64_t end = 0;

    auto add(const std::shared_ptr<arrow::Field>& field) -> Result<void> {
        Input input;
        input.name = field->name();
        input.schema = arrow::schema({field});
        input.converted = TRY(convert(input.schema));
        // The type as DuckDB sees it: that of an empty vector.
        auto empty = arrow::MakeEmptyArray(field->type());
        if (!empty.ok()) return failed(empty.status());
        const auto chunk = TRY(import(input, **empty));
        input.type.reset(
            duckdb_vector_get_column_type(duckdb_data_chunk_get_vector(chunk.get(), 0)));
        input.stored = stored_type(input.type.get());
        if (is_direct(*field->type())) input.converted.reset();
        inputs.push_back(std::move(input));
        return {};
    }

    auto convert(const std::shared_ptr<arrow::Schema>& schema) -> Result<ConvertedSchema> {
        ArrowSchema exported;
        if (auto status = arrow::ExportSchema(*schema, &exported); !status.ok())
            return failed(status);
        duckdb_arrow_converted_schema raw = nullptr;
        const auto taken = check(duckdb_schema_from_arrow(connection, &exported, &raw));
        ConvertedSchema converted(raw);
        if (exported.release != nullptr) exported.release(&exported);
        TRY(taken);
        return converted;
    }

    auto import(const Input& input, const arrow::Array& values) -> Result<Chunk> {
        ArrowArray array;
        const auto rows = arrow::RecordBatch::Make(input.schema, values.length(),
                                                   {arrow::MakeArray(values.data())});
        if (auto status = arrow::ExportRecordBatch(*rows, &array); !status.ok())
            return failed(status);
        duckdb_data_chunk raw = nullptr;
        const auto taken =
            check(duckdb_data_chunk_from_arrow(connection, &array, input.converted.get(), &raw));
        Chunk chunk(raw);
        if (array.release != nullptr) array.release(&array);
        TRY(taken);
        return chunk;
    }

    auto hand_out(duckdb_data_chunk out) -> Result<void> {
        const auto count = std::min<std::int64_t>(
            end - next, static_cast<std::int64_t>(duckdb_vector_size()));
        auto* const numbers = static_cast<std::int64_t*>(
            duckdb_vector_get_data(duckdb_data_chunk_get_vector(out, 0)));
        std::iota(numbers, numbers + count, next);
        for (std::size_t i = 0; i < inputs.size() && count > 0; ++i) {
            auto* const vector = duckdb_data_chunk_get_vector(out, i + 1);
            if (is_direct(*columns[i]->type())) {
                fill_vector(vector, inputs[i].stored, *columns[i], next, count);
                continue;
            }
            const auto chunk = TRY(import(inputs[i], *columns[i]->Slice(next, count)));
            duckdb_vector_reference_vector(vector, duckdb_data_chunk_get_vector(chunk.get(), 0));
        }
        duckdb_data_chunk_set_size(out, static_cast<idx_t>(count));
        next += count;
        return {};
    }

    static auto bind(duckdb_bind_info info) -> void {
        auto& feed = *static_cast<Feed*>(duckdb_bind_get_extra_info(info));
        const LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
        duckdb_bind_add_result_column(info, row_column, number.get());
        for (const auto& input : feed.inputs)
            duckdb_bind_add_result_column(info, input.name.c_str(), input.type.get());
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
    for (const int index : plan.used) {
        const auto& column = plan.input->columns[static_cast<std::size_t>(index)];
        TRY(feed.add(field_for_duckdb(column.name, *column.type, column.logical_type)));
    }
    if (with_skips)
        for (std::size_t i = 0; i < plan.computed.size(); ++i)
            TRY(feed.add(arrow::field(skip_column + std::to_string(i), arrow::boolean())));
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
        program->takers_.emplace_back(column->type, stored_type(type.get()));
    }
    return program;
}

auto Program::run(std::int64_t rows, const std::vector<std::shared_ptr<arrow::Array>>& columns,
                  const std::vector<std::shared_ptr<arrow::Array>>& skips) -> Result<Outcomes> {
    auto& variant = skips.empty() ? *whole_ : *with_skips_;
    auto& given = variant.feed->columns;
    for (const auto& column : columns) given.push_back(TRY(infinities_to_duckdb(column)));
    given.insert(given.end(), skips.begin(), skips.end());
    Outcomes outcomes;
    const auto ran = rows > 0 ? run_range(variant, 0, rows, outcomes) : Result<void>();
    given.clear();
    TRY(ran);
    for (std::size_t i = 0; i < types_.size(); ++i)
        outcomes.values.push_back(TRY(from_duckdb(TRY(takers_[i].finish()), types_[i].type)));
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
    while (true) {
        const Chunk chunk(duckdb_fetch_chunk(*result));
        if (!chunk) return {};
        const auto count = duckdb_data_chunk_get_size(chunk.get());
        if (count == 0) return {};
        const auto* const numbers = static_cast<const std::int64_t*>(
            duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 0)));
        outcomes.rows.insert(outcomes.rows.end(), numbers, numbers + count);
        for (std::size_t i = 0; i < types_.size(); ++i) {
            auto* const values = duckdb_data_chunk_get_vector(chunk.get(), i + 1);
            if (is_direct(*types_[i].type))
                TRY(takers_[i].take(values, static_cast<std::int64_t>(count)));
            else takers_[i].take(TRY(converted(values, i, count)));
        }
    }
}

// By DuckDB's conversion, which takes whole chunks only.
auto Program::converted(duckdb_vector values, std::size_t index, idx_t count)
    -> Result<std::shared_ptr<arrow::Array>> {
    const LogicalType type(duckdb_vector_get_column_type(values));
    auto* raw_type = type.get();
    const Chunk chunk(duckdb_create_data_chunk(&raw_type, 1));
    duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(chunk.get(), 0), values);
    duckdb_data_chunk_set_size(chunk.get(), count);
    duckdb_arrow_options raw_options = nullptr;
    duckdb_connection_get_arrow_options(connection_.get(), &raw_options);
    const ArrowOptions options(raw_options);
    ArrowArray array;
    TRY(check(duckdb_data_chunk_to_arrow(options.get(), chunk.get(), &array)));
    auto batch = arrow::ImportRecordBatch(
        &array, arrow::schema({arrow::field("c", types_[index].type)}));
    if (!batch.ok()) return failed(batch.status());
    return (*batch)->column(0);
}

}  // namespace leat::sql
