// Arrow IPC messages in and out.
#include "queue/log/payload.hpp"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "queue/log/frame_codec.hpp"

namespace leat::log_queue {

namespace {

auto arrow_error(std::string_view step, const arrow::Status& status) -> Error {
    return Error{Fault::fatal, std::string(step) + ": " + status.message(), "", "log"};
}

// Keeps large buffers as they are, so that they go from the builders to the disk without a copy;
// gathers small ones.
class GatherStream final : public arrow::io::OutputStream {
public:
    explicit GatherStream(Payload& payload) : payload_(payload) {}

    auto Write(const void* data, std::int64_t size) -> arrow::Status override {
        gathered_.append(static_cast<const char*>(data), static_cast<std::size_t>(size));
        position_ += size;
        return arrow::Status::OK();
    }
    auto Write(const std::shared_ptr<arrow::Buffer>& data) -> arrow::Status override {
        constexpr std::int64_t worth_a_piece = 4096;
        if (data->size() < worth_a_piece) return Write(data->data(), data->size());
        flush();
        payload_.add(data);
        position_ += data->size();
        return arrow::Status::OK();
    }
    auto Close() -> arrow::Status override {
        flush();
        return arrow::Status::OK();
    }
    [[nodiscard]] auto Tell() const -> arrow::Result<std::int64_t> override { return position_; }
    [[nodiscard]] auto closed() const -> bool override { return false; }

private:
    auto flush() -> void {
        if (!gathered_.empty()) payload_.add(std::exchange(gathered_, {}));
    }

    Payload& payload_;
    std::string gathered_;
    std::int64_t position_ = 0;
};

auto to_view(const arrow::Buffer& buffer) -> std::string_view {
    return {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(buffer.size())};
}

}  // namespace

auto Payload::add(std::string bytes) -> void {
    if (bytes.empty()) return;
    size_ += bytes.size();
    pieces_.push_back({std::move(bytes), nullptr});
}

auto Payload::add(std::shared_ptr<arrow::Buffer> buffer) -> void {
    if (buffer->size() == 0) return;
    size_ += static_cast<std::uint64_t>(buffer->size());
    pieces_.push_back({{}, std::move(buffer)});
}

auto Payload::pieces() const -> std::vector<std::string_view> {
    std::vector<std::string_view> views;
    views.reserve(pieces_.size());
    for (const auto& piece : pieces_)
        views.push_back(piece.buffer ? to_view(*piece.buffer) : std::string_view(piece.bytes));
    return views;
}

auto encode_batch(const Batch& batch, std::uint32_t schema, Payload& payload) -> Result<void> {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.use_threads = false;
    options.allow_64bit = true;
    arrow::ipc::IpcPayload message;
    if (const auto status = arrow::ipc::GetRecordBatchPayload(*batch.rows, options, &message);
        !status.ok())
        return arrow_error("encoding a batch", status);
    const auto size = arrow::ipc::GetPayloadSize(message, options);
    payload.add(encode_message_prefix(schema, static_cast<std::uint64_t>(size)));
    const auto before = payload.size();
    GatherStream stream(payload);
    std::int32_t metadata_length = 0;
    auto status = arrow::ipc::WriteIpcPayload(message, options, &stream, &metadata_length);
    if (status.ok()) status = stream.Close();
    if (!status.ok()) return arrow_error("encoding a batch", status);
    if (payload.size() - before != static_cast<std::uint64_t>(size))
        return Error{Fault::fatal, "encoding a batch: message of the wrong size", "", "log"};
    return {};
}

auto encode_schema(const arrow::Schema& schema) -> Result<std::string> {
    auto message = arrow::ipc::SerializeSchema(schema);
    if (!message.ok()) return arrow_error("encoding a schema", message.status());
    return (*message)->ToString();
}

auto decode_schema(std::string_view message) -> Result<DecodedSchema> {
    arrow::io::BufferReader reader(std::make_shared<arrow::Buffer>(message));
    arrow::ipc::DictionaryMemo memo;
    auto schema = arrow::ipc::ReadSchema(&reader, &memo);
    if (!schema.ok()) return arrow_error("decoding a schema", schema.status());
    auto table = TRY(from_arrow(**schema));
    return DecodedSchema{std::move(table), std::move(*schema)};
}

auto decode_schemas(std::string_view payload, Dictionary& dictionary) -> Result<void> {
    for (const auto& message : TRY(decode_messages(payload)))
        dictionary.insert_or_assign(message.schema, TRY(decode_schema(message.bytes)));
    return {};
}

auto decode_batches(const std::shared_ptr<arrow::Buffer>& payload, const Dictionary& dictionary)
    -> Result<std::vector<Batch>> {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    std::vector<Batch> batches;
    for (const auto& message : TRY(decode_messages(to_view(*payload)))) {
        const auto schema = dictionary.find(message.schema);
        if (schema == dictionary.end())
            return Error{Fault::fatal,
                         "batch under a schema that its segment does not hold: " +
                             std::to_string(message.schema),
                         "", "log"};
        arrow::io::BufferReader reader(
            arrow::SliceBuffer(payload, static_cast<std::int64_t>(message.at),
                               static_cast<std::int64_t>(message.bytes.size())));
        const arrow::ipc::DictionaryMemo memo;
        auto rows = arrow::ipc::ReadRecordBatch(schema->second.arrow, &memo, options, &reader);
        if (!rows.ok()) return arrow_error("decoding a batch", rows.status());
        if (const auto status = (*rows)->Validate(); !status.ok())
            return arrow_error("decoding a batch", status);
        batches.push_back({schema->second.table, std::move(*rows)});
    }
    return batches;
}

}  // namespace leat::log_queue
