// Chunks of DuckDB → record batches → IPC stream.
#include "sink/duckdb/query_arrow.hpp"

#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <vector>

namespace leat::duckdb {

namespace {

using ArrowOptions = Owned<duckdb_arrow_options, duckdb_destroy_arrow_options>;

auto failed(const std::string& why) -> Error {
    return {Fault::config, "answer cannot be made an arrow stream: " + why,
            "Cast the columns that arrow has no type for to VARCHAR.", "query",
            Code::query_refused};
}

auto check(const arrow::Status& status) -> Result<void> {
    if (status.ok()) return {};
    return failed(status.message());
}

auto check(duckdb_error_data error) -> Result<void> {
    const Owned<duckdb_error_data, duckdb_destroy_error_data> held(error);
    if (error == nullptr || !duckdb_error_data_has_error(error)) return {};
    return failed(duckdb_error_data_message(error));
}

auto schema_of(duckdb_result* result, duckdb_arrow_options options)
    -> Result<std::shared_ptr<arrow::Schema>> {
    std::vector<LogicalType> types;
    std::vector<duckdb_logical_type> raw_types;
    std::vector<const char*> names;
    for (idx_t i = 0; i < duckdb_column_count(result); ++i) {
        types.emplace_back(duckdb_column_logical_type(result, i));
        raw_types.push_back(types.back().get());
        names.push_back(duckdb_column_name(result, i));
    }
    ArrowSchema schema{};
    TRY(check(duckdb_to_arrow_schema(options, raw_types.data(), names.data(), names.size(),
                                     &schema)));
    auto imported = arrow::ImportSchema(&schema);
    TRY(check(imported.status()));
    return *std::move(imported);
}

}  // namespace

auto arrow_answer(Connection& connection, const std::string& sql, std::size_t rows_max)
    -> Result<QueryStream> {
    QueryOutcome outcome;
    if (duckdb_query(connection.handle(), sql.c_str(), outcome.get()) != DuckDBSuccess)
        return outcome.error("query");
    const ArrowOptions options(duckdb_result_get_arrow_options(outcome.get()));
    const auto schema = TRY(schema_of(outcome.get(), options.get()));
    auto sink = arrow::io::BufferOutputStream::Create();
    TRY(check(sink.status()));
    auto writer = arrow::ipc::MakeStreamWriter(*sink, schema);
    TRY(check(writer.status()));
    QueryStream stream;
    std::size_t rows = 0;
    while (duckdb_data_chunk raw = duckdb_fetch_chunk(*outcome.get())) {
        const DataChunk chunk(raw);
        ArrowArray array{};
        TRY(check(duckdb_data_chunk_to_arrow(options.get(), raw, &array)));
        auto imported = arrow::ImportRecordBatch(&array, schema);
        TRY(check(imported.status()));
        auto batch = *std::move(imported);
        const auto left = rows_max - rows;
        stream.truncated = static_cast<std::size_t>(batch->num_rows()) > left;
        if (stream.truncated) batch = batch->Slice(0, static_cast<std::int64_t>(left));
        rows += static_cast<std::size_t>(batch->num_rows());
        if (batch->num_rows() > 0) TRY(check((*writer)->WriteRecordBatch(*batch)));
        if (stream.truncated) break;
    }
    TRY(check((*writer)->Close()));
    auto buffer = (*sink)->Finish();
    TRY(check(buffer.status()));
    stream.bytes = (*buffer)->ToString();
    return stream;
}

}  // namespace leat::duckdb
