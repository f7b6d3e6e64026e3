// Arrow inside a frame: batches become IPC messages without copying their columns, and come back
// as views into the bytes that were read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "change/batch.hpp"

namespace arrow {
class Buffer;
class Schema;
}  // namespace arrow

namespace leat::log_queue {

// The payload of a frame that is about to be written: pieces in order, and who owns their bytes.
// Moved, never copied; any thread, one at a time.
class Payload {
public:
    auto add(std::string bytes) -> void;
    auto add(std::shared_ptr<arrow::Buffer> buffer) -> void;

    [[nodiscard]] auto size() const -> std::uint64_t { return size_; }
    [[nodiscard]] auto pieces() const -> std::vector<std::string_view>;

private:
    struct Piece {
        std::string bytes;  // when there is no buffer
        std::shared_ptr<arrow::Buffer> buffer;
    };
    std::vector<Piece> pieces_;
    std::uint64_t size_ = 0;
};

// Appends the batch as one message under the number of its schema.
auto encode_batch(const Batch& batch, std::uint32_t schema, Payload& payload) -> Result<void>;

// An IPC schema message.
auto encode_schema(const arrow::Schema& schema) -> Result<std::string>;

struct DecodedSchema {
    SchemaPtr table;
    std::shared_ptr<arrow::Schema> arrow;
};
auto decode_schema(std::string_view message) -> Result<DecodedSchema>;

// The schemas that a segment has introduced so far, by number.
using Dictionary = std::map<std::uint32_t, DecodedSchema>;

// Adds what a schemas frame holds.
auto decode_schemas(std::string_view payload, Dictionary& dictionary) -> Result<void>;
// The batches of a frame. They refer to `payload` and keep it alive.
auto decode_batches(const std::shared_ptr<arrow::Buffer>& payload, const Dictionary& dictionary)
    -> Result<std::vector<Batch>>;

}  // namespace leat::log_queue
