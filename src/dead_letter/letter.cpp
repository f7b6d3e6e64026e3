// Rows of letters in their two forms; see letter.hpp.
#include "dead_letter/letter.hpp"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

namespace leat {

namespace {

auto failed(const arrow::Status& status) -> Error {
    return Error{Fault::fatal, "dead letter: " + status.message(), "", "arrow"};
}

auto value_of(const arrow::Array& array, std::int64_t row) -> boost::json::value {
    if (array.IsNull(row)) return nullptr;
    const auto scalar = array.GetScalar(row);
    return boost::json::value(scalar.ok() ? (*scalar)->ToString() : scalar.status().message());
}

auto encode(const arrow::RecordBatch& rows) -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(const auto out, arrow::io::BufferOutputStream::Create());
    ARROW_ASSIGN_OR_RAISE(const auto writer, arrow::ipc::MakeStreamWriter(out, rows.schema()));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(rows));
    ARROW_RETURN_NOT_OK(writer->Close());
    ARROW_ASSIGN_OR_RAISE(const auto buffer, out->Finish());
    return buffer->ToString();
}

auto decode(const std::string& bytes) -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
    const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
    ARROW_ASSIGN_OR_RAISE(const auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
    std::shared_ptr<arrow::RecordBatch> rows;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&rows));
    if (!rows || rows->num_rows() != 1) return arrow::Status::Invalid("not one row");
    return rows;
}

}  // namespace

auto sortable(const Position& position) -> std::string {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%010u/%020llu/%020llu", position.lineage,
                  static_cast<unsigned long long>(position.commit),
                  static_cast<unsigned long long>(position.ordinal));
    return text.data();
}

auto encode_row(const Batch& batch, std::int64_t row) -> Result<std::string> {
    auto bytes = encode(*batch.rows->Slice(row, 1));
    if (!bytes.ok()) return failed(bytes.status());
    return *std::move(bytes);
}

auto row_as_json(const std::string& bytes) -> Result<std::string> {
    const auto rows = decode(bytes);
    if (!rows.ok()) return failed(rows.status());
    boost::json::object object;
    for (int i = first_table_column; i < (*rows)->num_columns(); ++i)
        object[(*rows)->column_name(i)] = value_of(*(*rows)->column(i), 0);
    return boost::json::serialize(object);
}

auto key_text(const arrow::RecordBatch& rows, const std::vector<int>& columns, std::int64_t row)
    -> std::string {
    boost::json::array values;
    for (const int column : columns)
        values.push_back(value_of(*rows.column(first_table_column + column), row));
    return boost::json::serialize(values);
}

auto key_text(const arrow::Array& values, std::int64_t row) -> std::string {
    const auto& fields = static_cast<const arrow::StructArray&>(values);
    boost::json::array list;
    for (int i = 0; i < fields.num_fields(); ++i) list.push_back(value_of(*fields.field(i), row));
    return boost::json::serialize(list);
}

}  // namespace leat
