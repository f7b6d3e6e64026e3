// Event: one change event of a change stream, taken apart into slices of the reply it came with.
// Documentation: MongoDB manual, "Change Events".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "format/bson/bson.hpp"

namespace leat::mongodb {

enum class EventKind : std::uint8_t {
    insert,
    update,
    replace,
    remove,
    drop,
    rename,
    drop_database,
    invalidate,
    other,  // of no consequence for rows, or not known here: passed over
};

// Cluster time as Position::commit has it: seconds in the upper half.
auto to_commit(bson::Timestamp time) -> std::uint64_t;
auto to_timestamp(std::uint64_t commit) -> bson::Timestamp;

struct Namespace {
    std::string_view database;
    std::string_view collection;

    friend auto operator==(const Namespace&, const Namespace&) -> bool = default;
};

// Empty views: not there. `before`: the pre-image.
struct Event {
    EventKind kind = EventKind::other;
    std::string_view kind_text;
    std::string_view token;  // a document
    std::uint64_t commit = 0;
    std::int64_t wall_us = 0;
    Namespace source;
    Namespace target;                // of a rename
    std::string_view key;            // a document with `_id`, and the shard key where there is one
    std::string_view document;       // after
    std::string_view description;    // of an update
    bool is_in_transaction = false;  // others may share its cluster time
    // Of a split event, from 1; 0: it is whole.
    std::int32_t fragment = 0;
    std::int32_t fragments = 0;
};

// Fatal for anything that is not a change event.
auto parse_event(std::string_view bytes) -> Result<Event>;

// The cluster time that a resume token stands at; nothing: a form that is not known here. A token's
// `_data` begins with a timestamp in the server's sortable key form: a type byte (0x82), then
// seconds and increment, big-endian, all of it in hex.
auto token_time(std::string_view token) -> std::optional<std::uint64_t>;

}  // namespace leat::mongodb
