// Kinds of scalars and look-up; see node.hpp.
#include "config/node.hpp"

#include <algorithm>
#include <utility>

namespace leat::config {
namespace {

constexpr std::string_view digits = "0123456789";

auto all_of(std::string_view text, std::string_view allowed) -> bool {
    return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

auto skip_digits(std::string_view& text) -> std::size_t {
    const auto count = std::min(text.find_first_not_of(digits), text.size());
    text.remove_prefix(count);
    return count;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
auto is_float(std::string_view text) -> bool {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
    const auto whole = skip_digits(text);
    std::size_t fraction = 0;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = skip_digits(text);
    }
    if (whole + fraction == 0) return false;
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
        if (skip_digits(text) == 0) return false;
    }
    return text.empty();
}

auto is_integer(std::string_view text) -> bool {
    if (text.starts_with("0o")) return all_of(text.substr(2), "01234567");
    if (text.starts_with("0x")) return all_of(text.substr(2), "0123456789abcdefABCDEF");
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return all_of(text, digits);
}

}  // namespace

auto Node::find(std::string_view key) const -> const Node* {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [key](const NodeEntry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &found->value;
}

auto Node::find(std::string_view key) -> Node* {
    return const_cast<Node*>(std::as_const(*this).find(key));  // NOLINT: the object is not const
}

auto Node::make_text(std::string text, const Span& span) -> Node {
    Node node;
    node.kind = Kind::text;
    node.span = span;
    node.text = std::move(text);
    return node;
}

auto Node::make_map(std::vector<NodeEntry> entries, const Span& span) -> Node {
    Node node;
    node.kind = Kind::map;
    node.span = span;
    node.entries = std::move(entries);
    return node;
}

auto kind_name(Node::Kind kind) -> std::string_view {
    switch (kind) {
        case Node::Kind::absent:
        case Node::Kind::null: return "nothing";
        case Node::Kind::boolean: return "true or false";
        case Node::Kind::integer: return "a whole number";
        case Node::Kind::number: return "a number";
        case Node::Kind::text: return "text";
        case Node::Kind::list: return "a list";
        case Node::Kind::map: return "a map";
    }
    return "nothing";
}

auto plain_kind(std::string_view text) -> Node::Kind {
    const auto is = [text](auto... words) { return ((text == words) || ...); };
    if (is("", "~", "null", "Null", "NULL")) return Node::Kind::null;
    if (is("true", "True", "TRUE", "false", "False", "FALSE")) return Node::Kind::boolean;
    if (is_integer(text)) return Node::Kind::integer;
    if (is(".nan", ".NaN", ".NAN") || is_float(text)) return Node::Kind::number;
    return Node::Kind::text;
}

}  // namespace leat::config
