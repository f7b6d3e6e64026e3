// TableSchema <-> Arrow schema: the layout of a Batch (batch.hpp) plus everything else in metadata.
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <charconv>

#include "change/batch.hpp"

namespace leat {

namespace {

auto arrow_error(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "arrow: " + status.message(), "", "schema"};
}

auto unreadable(const std::string& what) -> Error {
    return Error{Fault::fatal, "not a schema that leat wrote: " + what,
                 "Use the version of leat that wrote it.", "schema", Code::log_version};
}

// A default travels as an Arrow stream of one column and one row.
auto encode_scalar(const std::shared_ptr<arrow::Scalar>& scalar) -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(const auto array, arrow::MakeArrayFromScalar(*scalar, 1));
    const auto schema = arrow::schema({arrow::field("default", scalar->type)});
    ARROW_ASSIGN_OR_RAISE(const auto out, arrow::io::BufferOutputStream::Create());
    ARROW_ASSIGN_OR_RAISE(const auto writer, arrow::ipc::MakeStreamWriter(out, schema));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, 1, {array})));
    ARROW_RETURN_NOT_OK(writer->Close());
    ARROW_ASSIGN_OR_RAISE(const auto buffer, out->Finish());
    return buffer->ToString();
}

auto decode_scalar(const std::string& bytes) -> arrow::Result<std::shared_ptr<arrow::Scalar>> {
    const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
    ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (!batch || batch->num_rows() != 1 || batch->num_columns() != 1)
        return arrow::Status::Invalid("default value is not one value");
    // Arrow's full validation refuses 24:00:00, a time of day in PostgreSQL. Numbers, alone or in a
    // list, need no more than the structural one: with one row it sees every offset.
    const auto& type = *batch->column(0)->type();
    const auto& values = type.id() == arrow::Type::LIST ? *type.field(0)->type() : type;
    const bool times = values.id() == arrow::Type::TIME64;
    ARROW_RETURN_NOT_OK(times ? batch->Validate() : batch->ValidateFull());
    return batch->column(0)->GetScalar(0);
}

auto column_field(const Column& column) -> arrow::Result<std::shared_ptr<arrow::Field>> {
    auto metadata = std::make_shared<arrow::KeyValueMetadata>();
    metadata->Append("leat.id", std::to_string(column.id));
    metadata->Append("leat.nullable", column.nullable ? "1" : "0");
    if (!column.logical_type.empty()) metadata->Append("leat.type", column.logical_type);
    if (!column.source_type.empty()) metadata->Append("leat.source_type", column.source_type);
    if (column.default_value) {
        ARROW_ASSIGN_OR_RAISE(auto bytes, encode_scalar(column.default_value));
        metadata->Append("leat.default", std::move(bytes));
    }
    // Nullable in Arrow always: deletes and partial rows leave columns out.
    return arrow::field(column.name, column.type, true, std::move(metadata));
}

auto table_metadata(const TableSchema& schema) -> std::shared_ptr<arrow::KeyValueMetadata> {
    std::string key;
    for (const int index : schema.key) key += (key.empty() ? "" : ",") + std::to_string(index);
    auto metadata = std::make_shared<arrow::KeyValueMetadata>();
    metadata->Append("leat.schema", schema.name.schema);
    metadata->Append("leat.table", schema.name.table);
    metadata->Append("leat.version", std::to_string(schema.version));
    metadata->Append("leat.generation", std::to_string(schema.generation));
    metadata->Append("leat.identity", std::to_string(static_cast<int>(schema.identity)));
    metadata->Append("leat.key", std::move(key));
    return metadata;
}

template <class T>
auto parse(std::string_view text, T& value) -> bool {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

auto get(const arrow::KeyValueMetadata& metadata, const char* name) -> std::string {
    return metadata.Get(name).ValueOr("");
}

auto parse_key(std::string_view text, std::size_t columns) -> Result<std::vector<int>> {
    std::vector<int> key;
    while (!text.empty()) {
        const auto comma = text.find(',');
        int index = -1;
        if (!parse(text.substr(0, comma), index) || index < 0 ||
            static_cast<std::size_t>(index) >= columns)
            return unreadable("key " + std::string(text));
        key.push_back(index);
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    return key;
}

auto parse_column(const arrow::Field& field) -> Result<Column> {
    Column column;
    column.name = field.name();
    column.type = field.type();
    if (!field.HasMetadata()) return unreadable("column without metadata");
    const auto& metadata = *field.metadata();
    column.logical_type = get(metadata, "leat.type");
    column.source_type = get(metadata, "leat.source_type");
    column.nullable = get(metadata, "leat.nullable") == "1";
    if (!parse(get(metadata, "leat.id"), column.id)) return unreadable("column without id");
    if (metadata.Contains("leat.default")) {
        auto scalar = decode_scalar(get(metadata, "leat.default"));
        if (!scalar.ok()) return arrow_error(scalar.status());
        if (!(*scalar)->type->Equals(*column.type)) return unreadable("default of another type");
        column.default_value = std::move(*scalar);
    }
    return column;
}

auto before_type(const TableSchema& schema) -> std::shared_ptr<arrow::DataType> {
    arrow::FieldVector fields;
    for (const int index : identity_columns(schema)) {
        const auto& column = schema.columns[static_cast<std::size_t>(index)];
        fields.push_back(arrow::field(column.name, column.type));
    }
    return arrow::struct_(std::move(fields));
}

}  // namespace

auto to_arrow(const TableSchema& schema, BatchShape shape)
    -> Result<std::shared_ptr<arrow::Schema>> {
    const auto bitmap_bytes = static_cast<std::int32_t>((schema.columns.size() + 7) / 8);
    arrow::FieldVector fields = {
        arrow::field("_op", arrow::uint8(), false),
        arrow::field("_commit", arrow::uint64(), false),
        arrow::field("_ordinal", arrow::uint64(), false),
        arrow::field("_commit_time", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), false),
        arrow::field("_before", shape.with_before ? before_type(schema) : arrow::null()),
        arrow::field("_unchanged",
                     shape.with_unchanged ? arrow::fixed_size_binary(bitmap_bytes) : arrow::null()),
    };
    for (const auto& column : schema.columns) {
        auto field = column_field(column);
        if (!field.ok()) return arrow_error(field.status());
        fields.push_back(std::move(*field));
    }
    return arrow::schema(std::move(fields), table_metadata(schema));
}

auto from_arrow(const arrow::Schema& arrow_schema) -> Result<SchemaPtr> {
    if (!arrow_schema.HasMetadata() || arrow_schema.num_fields() < first_table_column)
        return unreadable("no table metadata");
    const auto& metadata = *arrow_schema.metadata();
    auto schema = std::make_shared<TableSchema>();
    schema->name = {get(metadata, "leat.schema"), get(metadata, "leat.table")};
    int identity = -1;
    if (!parse(get(metadata, "leat.version"), schema->version) ||
        !parse(get(metadata, "leat.generation"), schema->generation) ||
        !parse(get(metadata, "leat.identity"), identity) || identity < 0 ||
        identity > static_cast<int>(RowIdentity::append_only))
        return unreadable("version, generation or identity");
    schema->identity = static_cast<RowIdentity>(identity);
    for (int i = first_table_column; i < arrow_schema.num_fields(); ++i)
        schema->columns.push_back(TRY(parse_column(*arrow_schema.field(i))));
    schema->key = TRY(parse_key(get(metadata, "leat.key"), schema->columns.size()));
    if (schema->key.empty() == (schema->identity == RowIdentity::key))
        return unreadable("key and identity disagree");
    return SchemaPtr(std::move(schema));
}

}  // namespace leat
