// Kind: what a column of a collection holds, and how it widens as documents drift. The lattice:
//
//     integer ─► big_integer ─► numeric ─► json        boolean, text, object_id, timestamp,
//           └──► float64 ──────────┘                   uuid, binary ─► json
//
// A kind widens to the next that holds every value of both exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "change/schema.hpp"
#include "format/bson/bson.hpp"

namespace leat::mongodb {

enum class Kind : std::uint8_t {
    boolean,
    integer,      // int or long, within ±2^53: a double holds it
    big_integer,  // int or long
    float64,
    numeric,  // any number, as exact text
    text,
    object_id,  // 24 hex digits
    timestamp,  // date
    uuid,       // binary of subtype 4
    binary,     // binary of subtype 0
    json,       // anything, as relaxed Extended JSON
};

// The narrowest kind that holds the value; null and undefined, which every column holds as NULL,
// are not asked about.
auto kind_of(const bson::Element& value) -> Kind;

auto join(Kind a, Kind b) -> Kind;
// For keys, which are found by their text: values of one kind stay in a column of it, any others
// become JSON at once, so that a key is written alike whatever its column was before.
auto join_keys(Kind a, Kind b) -> Kind;

// A column of that kind without name and id; its source_type names the kind.
auto column_of(Kind kind) -> Column;
auto kind_of(const Column& column) -> std::optional<Kind>;

}  // namespace leat::mongodb
