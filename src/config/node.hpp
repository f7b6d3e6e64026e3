// What a YAML file says, as a tree of plain data with the place of every value. Made by
// parse_yaml, completed by interpolate, read by fields.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.hpp"
#include "config/source_file.hpp"

namespace leat::config {

struct NodeEntry;

// Typing of plain scalars is YAML 1.2 core: `true`, `12`, `0x1f`, `1.5`, `null`; `NO`, `on` and
// `12:30` are text. Quoted scalars are text. `text` keeps what is written, so that nothing is lost
// in a number.
struct Node {
    enum class Kind : std::uint8_t {
        absent,  // not there, or wrong and already reported: readers take it without a word
        null,
        boolean,
        integer,
        number,
        text,
        list,
        map,
    };

    Kind kind = Kind::absent;
    bool interpolated = false;  // text came from outside the file: never shown in a message
    Span span{};
    std::string text{};              // scalars
    std::vector<Node> items{};       // lists
    std::vector<NodeEntry> entries;  // maps, in file order, keys unique

    // The value of a key of a map, or nullptr.
    [[nodiscard]] auto find(std::string_view key) const -> const Node*;
    [[nodiscard]] auto find(std::string_view key) -> Node*;

    static auto make_text(std::string text, const Span& span = {}) -> Node;
    static auto make_map(std::vector<NodeEntry> entries, const Span& span = {}) -> Node;
};

struct NodeEntry {
    std::string key;
    Span key_span{};
    Node value{};
};

// "text", "a list", ...: what a person calls it.
auto kind_name(Node::Kind kind) -> std::string_view;
// The kind of a plain scalar by YAML 1.2 core.
auto plain_kind(std::string_view text) -> Node::Kind;

constexpr int max_depth = 32;
constexpr std::size_t max_nodes = 100'000;

// One document of YAML. Reports bad syntax, duplicate keys, anchors, aliases, tags, directives,
// several documents, keys that are not text and trees past the limits; any bytes are answered.
// Where the file cannot be understood the result is absent.
auto parse_yaml(const SourceFile& file, Problems& problems) -> Node;

}  // namespace leat::config
