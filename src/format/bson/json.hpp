// BSON as relaxed Extended JSON v2 (MongoDB's "Extended JSON" specification): what its shell, its
// drivers and `bson.json_util.loads` read back. Pure; for the path of every event, so it is fast.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/bson/bson.hpp"

namespace leat::bson {

enum class Json : std::uint8_t {
    whole,
    replaced,   // written, with U+FFFD for every byte that was not UTF-8
    malformed,  // or nested too deeply: nothing was appended
};

// Documents within each other, the outermost counted; MongoDB itself stores 100.
constexpr int json_depth_max = 200;

// Without spaces, names in their order and as often as they occur. Numbers are plain; a double is
// the shortest text that reads back as it, spelled as Python's repr does, and always holds a '.' or an
// 'e' (-0.0, 1e+300), NaN and the infinities are {"$numberDouble":…}. A date from 1970 to 9999 is {"$date":"…Z"} with
// milliseconds only when it has some, any other {"$date":{"$numberLong":…}}.
//
// Appended to `out`, which grows by a factor when it must.
auto append_json(std::string& out, const Element& element) -> Json;
auto append_json_document(std::string& out, std::string_view document) -> Json;
// A double's own text: as in JSON, but NaN, Infinity and -Infinity by name.
auto append_number_text(std::string& out, double value) -> void;
// A JSON string; never malformed.
auto append_quoted(std::string& out, std::string_view utf8) -> Json;

}  // namespace leat::bson
