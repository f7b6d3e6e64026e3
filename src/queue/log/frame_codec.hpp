// The header of a frame on disk, and the small payloads that are not Arrow: markers and the state
// that every segment of the change sequence opens with. FORMAT.md describes the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/frame.hpp"
#include "queue/log/segment.hpp"

namespace leat::log_queue {

// Kinds below 16 are change/frame.hpp's FrameKind, the others never leave the log.
enum class DiskKind : std::uint8_t {
    changes = 1,
    position = 2,
    snapshot = 3,
    marker = 4,
    schemas = 16,  // Arrow schemas under the numbers that batches name them by
    state = 17,    // what a segment must know of those before it
};
inline auto internal(DiskKind kind) -> bool {
    return static_cast<std::uint8_t>(kind) >= 16;
}
auto to_string(DiskKind kind) -> std::string_view;

struct FrameHeader {
    DiskKind kind = DiskKind::changes;
    bool ends_transaction = true;
    std::uint8_t codec = 0;
    std::uint32_t header_bytes = 0;
    std::uint64_t payload_bytes = 0;
    std::uint32_t body_crc = 0;      // payload and padding
    std::uint32_t previous_crc = 0;  // chain value of the frame before
    std::uint64_t offset = 0;
    std::uint64_t group_first = 0;  // all frames below were durable when this one was written
    Incarnation incarnation = 0;
    std::uint64_t rows = 0;
    Generation generation = 0;
    std::int64_t commit_time_us = 0;
    std::int64_t written_us = 0;
    Position first;  // without token
    Position last;
    std::uint32_t chain = 0;  // the header's own checksum; covers all the rest

    [[nodiscard]] auto file_bytes() const -> std::uint64_t {
        return whole_pages(header_bytes + payload_bytes);
    }
};

inline constexpr std::uint64_t header_bytes_max = 1 << 20;

// The header's size with this token, so that a frame's size is known before it is placed.
auto header_size(std::string_view token) -> std::uint32_t;
// Sets header_bytes and chain.
auto encode_header(FrameHeader& header, std::uint32_t seed) -> std::string;

// `bytes`: what is at a frame's place, at least one page. Nothing: no header of this segment.
// `wanted`: set to the bytes that are needed when the header is larger than what was given.
auto decode_header(std::string_view bytes, std::uint32_t seed, std::uint64_t& wanted)
    -> std::optional<FrameHeader>;

auto encode_marker(const Marker& marker) -> std::string;
auto decode_marker(std::string_view payload) -> Result<Marker>;

// A snapshot generation as the change sequence remembers it.
struct GenerationRecord {
    Generation generation = 0;
    std::uint32_t lineage = 0;
    Purpose purpose = Purpose::anew;
    bool is_all = false;
    bool has_point = false;
    bool has_ended = false;
    std::uint64_t begin_offset = 0;     // of the begin marker, change sequence
    std::uint64_t snapshot_offset = 0;  // none of its frames is before, snapshot sequence
    Position consistent_point;
    std::vector<std::string> sinks;
    std::vector<TableName> tables;
    std::vector<TableName> whole;

    friend auto operator==(const GenerationRecord&, const GenerationRecord&) -> bool = default;
};

struct State {
    std::vector<GenerationRecord> generations;  // oldest first; those that may still matter
    std::set<TableName> tables;                 // that the stream carries
    std::optional<Position> last;               // last complete transaction of the stream
    std::int64_t last_time_us = 0;
    std::uint64_t version = 0;  // of generations and tables; not on disk

    [[nodiscard]] auto find(Generation generation) -> GenerationRecord*;  // null: unknown
    // The one that the stream began with.
    [[nodiscard]] auto beginning() const -> const GenerationRecord*;
    [[nodiscard]] auto newest() const -> Generation {
        return generations.empty() ? 0 : generations.back().generation;
    }
};
auto encode_state(const State& state) -> std::string;
auto decode_state(std::string_view payload) -> Result<State>;

// One Arrow message inside a payload: a schema (schemas frame) or a record batch.
struct Message {
    std::uint32_t schema = 0;
    std::string_view bytes;
    std::size_t at = 0;  // where `bytes` begins in the payload
};
inline constexpr std::size_t message_prefix_bytes = 16;
auto encode_message_prefix(std::uint32_t schema, std::uint64_t bytes) -> std::string;
auto decode_messages(std::string_view payload) -> Result<std::vector<Message>>;

}  // namespace leat::log_queue
