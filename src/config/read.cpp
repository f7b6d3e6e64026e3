// What every type of option accepts, and what is said when it does not; see read.hpp. A message
// never repeats a value: it may have come from a variable or be a secret.
#include "config/read.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace leat::config {
namespace detail {
namespace {

using Kind = Node::Kind;

auto is_scalar(Kind kind) -> bool {
    return kind != Kind::list && kind != Kind::map;
}

auto wrong_kind(const Slot& slot, std::string_view expected, std::string hint = {}) -> void {
    if (slot.node.kind == Kind::absent) return;  // already reported
    if (hint.empty() && slot.node.kind == Kind::null) {
        hint = "give it a value, or remove the key to take the default";
    }
    slot.problems.add(slot.node.span,
                      "'" + slot.name + "' must be " + std::string(expected) + ", found " +
                          std::string(kind_name(slot.node.kind)),
                      std::move(hint));
}

auto wrong_text(const Slot& slot, std::string_view expected, std::string hint) -> void {
    slot.problems.add(slot.node.span, "'" + slot.name + "' must be " + std::string(expected),
                      std::move(hint));
}

auto out_of_range(const Slot& slot, const std::string& min, const std::string& max) -> void {
    std::string range = "between " + min + " and " + max;
    if (min.empty()) range = "at most " + max;
    if (max.empty()) range = "at least " + min;
    slot.problems.add(slot.node.span, "'" + slot.name + "' is out of range: it must be " + range);
}

// A plain scalar of this kind; text from a variable counts as what it looks like.
auto is_kind(const Slot& slot, Kind kind) -> bool {
    return slot.node.kind == kind || (slot.node.interpolated && plain_kind(slot.node.text) == kind);
}

auto unquote_hint(const Slot& slot, Kind kind) -> std::string {
    const bool is_quoted = slot.node.kind == Kind::text && !slot.node.interpolated &&
                           plain_kind(slot.node.text) == kind;
    return is_quoted ? "remove the quotes" : "";
}

// YAML 1.2 core: decimal with a sign, 0x and 0o without. Empty where it does not fit.
template <class T>
auto parse_integer(std::string_view text) -> std::optional<T> {
    int base = 10;
    if (text.starts_with('+')) text.remove_prefix(1);
    else if (text.starts_with("0x")) base = 16;
    else if (text.starts_with("0o")) base = 8;
    if (base != 10) text.remove_prefix(2);
    T value{};
    const auto* end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, value, base);
    if (failed != std::errc{} || stop != end) return std::nullopt;
    return value;
}

template <class T>
auto read_whole(const Slot& slot, T min, T max) -> std::optional<T> {
    if (!is_kind(slot, Kind::integer)) {
        wrong_kind(slot, "a whole number", unquote_hint(slot, Kind::integer));
        return std::nullopt;
    }
    const auto value = parse_integer<T>(slot.node.text);
    if (!value || *value < min || *value > max) {
        // The limit of the type is worth naming only to somebody who went past it.
        const bool open_end = max == std::numeric_limits<T>::max() &&
                              (value.has_value() || slot.node.text.starts_with('-'));
        out_of_range(slot, std::to_string(min), open_end ? "" : std::to_string(max));
        return std::nullopt;
    }
    return value;
}

auto to_text(double value) -> std::string {
    std::string text(32, '\0');
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    text.resize(static_cast<std::size_t>(end - text.data()));
    return text;
}

auto to_text(const Bytes& value) -> std::string {
    return to_string(value);
}
auto to_text(const Duration& value) -> std::string {
    return to_string(value);
}

template <class T>
auto within(const Slot& slot, const Limits<T>& limits, T value) -> std::optional<T> {
    if ((limits.min && value < *limits.min) || (limits.max && value > *limits.max)) {
        out_of_range(slot, limits.min ? to_text(*limits.min) : "",
                     limits.max ? to_text(*limits.max) : "");
        return std::nullopt;
    }
    return value;
}

// Sizes and durations: text, for a number alone does not say its unit.
template <class T, class Parse>
auto read_amount(const Slot& slot, const Limits<T>& limits, Parse parse, std::string_view expected,
                 const std::string& hint) -> std::optional<T> {
    if (!is_scalar(slot.node.kind) || slot.node.kind == Kind::absent ||
        slot.node.kind == Kind::null || slot.node.kind == Kind::boolean) {
        wrong_kind(slot, expected, hint);
        return std::nullopt;
    }
    const auto value = parse(slot.node.text);
    if (!value) {
        wrong_text(slot, expected, hint);
        return std::nullopt;
    }
    return within(slot, limits, *value);
}

}  // namespace

auto Slot::boolean() const -> std::optional<bool> {
    if (is_kind(*this, Kind::boolean)) return node.text.front() == 't' || node.text.front() == 'T';
    const auto is_word = node.kind == Kind::text;
    wrong_kind(*this, "true or false", is_word ? "write true or false, without quotes" : "");
    return std::nullopt;
}

auto Slot::whole(std::int64_t min, std::int64_t max) const -> std::optional<std::int64_t> {
    return read_whole(*this, min, max);
}

auto Slot::natural(std::uint64_t min, std::uint64_t max) const -> std::optional<std::uint64_t> {
    return read_whole(*this, min, max);
}

auto Slot::number(const Limits<double>& limits) const -> std::optional<double> {
    const bool is_integer = is_kind(*this, Kind::integer);
    if (!is_integer && !is_kind(*this, Kind::number)) {
        wrong_kind(*this, "a number", unquote_hint(*this, Kind::number));
        return std::nullopt;
    }
    auto text = std::string_view(node.text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data(), end, value);
    if (failed != std::errc{} || stop != end || !std::isfinite(value)) {
        wrong_text(*this, "a finite decimal number", "write it like 0.5");
        return std::nullopt;
    }
    return within(*this, limits, value);
}

auto Slot::text(bool filled) const -> std::optional<std::string> {
    if (node.kind != Kind::text) {
        const bool is_typed = is_scalar(node.kind) && node.kind != Kind::null;
        wrong_kind(*this, "text", is_typed ? "put it in quotes" : "");
        return std::nullopt;
    }
    if (filled && node.text.empty()) {
        wrong_text(*this, "text that is not empty",
                   node.interpolated ? "check the variable or file it is taken from" : "");
        return std::nullopt;
    }
    return node.text;
}

auto Slot::secret(bool filled) const -> std::optional<std::string> {
    return text(filled);
}

auto Slot::size(const Limits<Bytes>& limits) const -> std::optional<Bytes> {
    return read_amount(*this, limits, parse_bytes, "a size", "write it with its unit, like 64 MiB");
}

auto Slot::duration(const Limits<Duration>& limits, Duration step) const
    -> std::optional<Duration> {
    const auto value = read_amount(*this, limits, parse_duration, "a duration",
                                   "write it with its unit, like 500ms or 24h");
    if (value && *value % step != Duration{0}) {
        wrong_text(*this, "a multiple of " + to_string(step), "");
        return std::nullopt;
    }
    return value;
}

auto Slot::choice(std::span<const std::string_view> names) const -> std::optional<std::size_t> {
    if (node.kind == Kind::absent) return std::nullopt;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (is_scalar(node.kind) && node.text == names[i]) return i;
    }
    std::string all;
    for (const auto each : names) all += (all.empty() ? "" : ", ") + std::string(each);
    const auto near = is_scalar(node.kind) ? nearest(node.text, names) : std::string_view{};
    wrong_text(*this, "one of " + all,
               near.empty() ? "" : "did you mean '" + std::string(near) + "'?");
    return std::nullopt;
}

auto Slot::list(bool filled) const -> const std::vector<Node>* {
    if (node.kind != Kind::list) {
        const bool is_single = is_scalar(node.kind) && node.kind != Kind::null;
        wrong_kind(*this, "a list", is_single ? "put it in brackets" : "");
        return nullptr;
    }
    if (filled && node.items.empty()) {
        wrong_text(*this, "a list that is not empty", "");
        return nullptr;
    }
    return &node.items;
}

auto Slot::map() const -> const std::vector<NodeEntry>* {
    if (node.kind == Node::Kind::map) return &node.entries;
    wrong_kind(*this, "a map", "write it as lines of `key: value`");
    return nullptr;
}

MapReader::MapReader(const Node& node, Problems& problems, std::string where, std::string prefix)
    : node_(node), problems_(problems), where_(std::move(where)), prefix_(std::move(prefix)) {
    if (node.kind == Kind::map || node.kind == Kind::absent) return;
    auto name = prefix_.empty() ? where_ : "'" + prefix_.substr(0, prefix_.size() - 1) + "'";
    if (name.empty()) name = "this";
    problems_.add(node.span, name + " must be a map, found " + std::string(kind_name(node.kind)),
                  "write it as lines of `key: value`");
}

auto MapReader::path(std::string_view key) const -> std::string {
    return prefix_ + std::string(key);
}

auto MapReader::find(std::string_view key, bool required) -> const Node* {
    if (node_.kind != Kind::map) return nullptr;
    const auto* found = node_.find(key);
    if (found == nullptr && required) {
        // The place is where the map starts: its first key.
        auto at = node_.span;
        if (!node_.entries.empty()) at = node_.entries.front().key_span;
        problems_.add(
            at, "the key '" + path(key) + "' is missing" + (where_.empty() ? "" : " in " + where_),
            "add `" + std::string(key) + ": ...`");
    }
    return found;
}

auto MapReader::refuse_others(std::span<const std::string_view> keys,
                              std::span<const std::string_view> elsewhere) -> void {
    std::vector<std::string_view> known(keys.begin(), keys.end());
    known.insert(known.end(), elsewhere.begin(), elsewhere.end());
    for (const auto& entry : node_.entries) {
        if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
        std::string place;
        if (!prefix_.empty()) place = " in '" + prefix_.substr(0, prefix_.size() - 1) + "'";
        if (!where_.empty()) place += (prefix_.empty() ? " in " : " of ") + where_;
        problems_.add(entry.key_span, "unknown key " + in_quotes(entry.key) + place,
                      suggest(entry.key, known));
    }
}

}  // namespace detail

auto require_type(const Node& node, Problems& problems, std::string_view role,
                  std::span<const std::string_view> known) -> std::string {
    detail::MapReader map(node, problems, "this " + std::string(role), "");
    const auto* type = map.find("type", true);
    if (type == nullptr) return {};
    const detail::Slot slot{*type, problems, "type", map.where()};
    const auto name = slot.text(true);
    if (!name) return {};
    if (std::find(known.begin(), known.end(), *name) != known.end()) return *name;
    problems.add(type->span,
                 "unknown " + std::string(role) + " type" +
                     (type->interpolated ? "" : " " + in_quotes(*name)),
                 suggest(*name, known));
    return {};
}

}  // namespace leat::config
