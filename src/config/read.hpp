// read<T>: a map of the file becomes an option struct, and everything wrong with it a problem.
// Only the walk over the fields is a template; what a value is judged by lies in read.cpp.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "config/fields.hpp"
#include "config/node.hpp"
#include "config/problems.hpp"

namespace leat::config {

struct ReadOptions {
    std::string where{};                            // "sink 'duckdb'", for messages
    std::span<const std::string_view> elsewhere{};  // further keys, which somebody else reads
    bool partial = false;  // somebody else reads the rest and refuses the unknown
    bool typed = true;     // the key `type` chose T and is passed over
};

// Never fails: what is wrong is in `problems`, and the member then keeps its default. An absent
// node yields the defaults in silence.
template <Options T>
auto read(const Node& node, Problems& problems, const ReadOptions& options = {}) -> T;

// The text of `type` if it is one of `known`, else empty with the problem reported. `role` is
// "source", "queue" or "sink".
auto require_type(const Node& node, Problems& problems, std::string_view role,
                  std::span<const std::string_view> known) -> std::string;

namespace detail {

// A map being read: finds members, then reports the keys nobody asked for.
class MapReader {
public:
    MapReader(const Node& node, Problems& problems, std::string where, std::string prefix);

    // nullptr where there is nothing to read; reports a missing key if it is required.
    auto find(std::string_view key, bool required) -> const Node*;
    auto refuse_others(std::span<const std::string_view> keys,
                       std::span<const std::string_view> elsewhere) -> void;
    [[nodiscard]] auto path(std::string_view key) const -> std::string;
    [[nodiscard]] auto where() const -> const std::string& { return where_; }
    [[nodiscard]] auto problems() -> Problems& { return problems_; }

private:
    const Node& node_;
    Problems& problems_;
    std::string where_;
    std::string prefix_;  // "epoch." inside the nested struct `epoch`
};

// One value being read; `name` is its key with the keys above it.
struct Slot {
    const Node& node;
    Problems& problems;
    std::string name;
    const std::string& where;

    auto boolean() const -> std::optional<bool>;
    auto whole(std::int64_t min, std::int64_t max) const -> std::optional<std::int64_t>;
    auto natural(std::uint64_t min, std::uint64_t max) const -> std::optional<std::uint64_t>;
    auto number(const Limits<double>& limits) const -> std::optional<double>;
    auto text(bool filled) const -> std::optional<std::string>;
    auto secret(bool filled) const -> std::optional<std::string>;
    auto size(const Limits<Bytes>& limits) const -> std::optional<Bytes>;
    auto duration(const Limits<Duration>& limits, Duration step) const -> std::optional<Duration>;
    auto choice(std::span<const std::string_view> names) const -> std::optional<std::size_t>;
    // nullptr if it is no list.
    auto list(bool filled) const -> const std::vector<Node>*;
    // nullptr if it is no map.
    auto map() const -> const std::vector<NodeEntry>*;
};

template <class M>
inline constexpr bool is_vector = false;
template <class M>
inline constexpr bool is_vector<std::vector<M>> = true;
template <class>
inline constexpr bool always_false = false;

template <Options T>
auto read_map(MapReader map, std::span<const std::string_view> elsewhere, bool partial) -> T;

struct Wanted {
    bool filled = false;
};

template <class E>
auto read_enum(const Slot& slot) -> std::optional<E> {
    constexpr auto table = names_of(E{});
    std::array<std::string_view, table.size()> names;
    for (std::size_t i = 0; i < table.size(); ++i) names[i] = table[i].name;
    const auto index = slot.choice(names);
    if (!index) return std::nullopt;
    return table[*index].value;
}

template <Integer M>
auto read_integer(const Slot& slot, const Limits<M>& limits) -> std::optional<M> {
    const auto min = limits.min.value_or(std::numeric_limits<M>::min());
    const auto max = limits.max.value_or(std::numeric_limits<M>::max());
    if constexpr (std::signed_integral<M>) {
        const auto value = slot.whole(min, max);
        return value ? std::optional(static_cast<M>(*value)) : std::nullopt;
    } else {
        const auto value = slot.natural(min, max);
        return value ? std::optional(static_cast<M>(*value)) : std::nullopt;
    }
}

template <class M>
auto read_list(const Slot& slot, Wanted wanted) -> std::optional<M>;
template <class M>
auto read_entries(const Slot& slot) -> std::optional<M>;

// Empty where the value is wrong; the problem is then reported.
template <class M, class Bound>
auto read_value(const Slot& slot, const Limits<Bound>& limits, Wanted wanted) -> std::optional<M> {
    if constexpr (std::same_as<M, bool>) {
        return slot.boolean();
    } else if constexpr (Integer<M>) {
        return read_integer<M>(slot, limits);
    } else if constexpr (std::same_as<M, double>) {
        return slot.number(limits);
    } else if constexpr (std::same_as<M, Bytes>) {
        return slot.size(limits);
    } else if constexpr (is_duration<M>) {
        const auto value = slot.duration({limits.min, limits.max}, M{1});
        return value ? std::optional(std::chrono::duration_cast<M>(*value)) : std::nullopt;
    } else if constexpr (std::same_as<M, std::string>) {
        return slot.text(wanted.filled);
    } else if constexpr (std::same_as<M, std::filesystem::path>) {
        auto text = slot.text(true);
        return text ? std::optional<M>(std::move(*text)) : std::nullopt;
    } else if constexpr (std::same_as<M, Secret>) {
        auto text = slot.secret(wanted.filled);
        return text ? std::optional<M>(Secret(std::move(*text))) : std::nullopt;
    } else if constexpr (std::is_enum_v<M>) {
        return read_enum<M>(slot);
    } else if constexpr (is_vector<M>) {
        return read_list<M>(slot, wanted);
    } else if constexpr (is_map<M>) {
        return read_entries<M>(slot);
    } else if constexpr (Options<M>) {
        return read_map<M>(MapReader(slot.node, slot.problems, slot.where, slot.name + "."), {},
                           false);
    } else {
        static_assert(always_false<M>, "fields() has a member of a type that cannot be read");
    }
}

template <class M>
auto read_list(const Slot& slot, Wanted wanted) -> std::optional<M> {
    using Item = typename M::value_type;
    const auto* items = slot.list(wanted.filled);
    if (items == nullptr) return std::nullopt;
    M values;
    for (std::size_t i = 0; i < items->size(); ++i) {
        const Slot item{(*items)[i], slot.problems, slot.name + "[" + std::to_string(i) + "]",
                        slot.where};
        auto value = read_value<Item>(item, Limits<BoundOf<Item>>{}, Wanted{.filled = true});
        if (value) values.push_back(std::move(*value));
    }
    return values;
}

template <class M>
auto read_entries(const Slot& slot) -> std::optional<M> {
    using Item = typename M::mapped_type;
    const auto* entries = slot.map();
    if (entries == nullptr) return std::nullopt;
    M values;
    for (const auto& entry : *entries) {
        const Slot item{entry.value, slot.problems, slot.name + "." + entry.key, slot.where};
        auto value = read_value<Item>(item, Limits<BoundOf<Item>>{}, Wanted{.filled = true});
        if (value) values.emplace(entry.key, std::move(*value));
    }
    return values;
}

template <class Owner, class M>
auto read_field(MapReader& map, const Field<Owner, M>& field, Owner& out) -> void {
    using Value = typename Inner<M>::type;
    const auto* node = map.find(field.name, field.is_required);
    if (node == nullptr) return;
    // `key:` without a value unsets an optional; anywhere else it is a slip.
    if (is_optional<M> && node->kind == Node::Kind::null) {
        out.*field.member = M{};
        return;
    }
    const Slot slot{*node, map.problems(), map.path(field.name), map.where()};
    auto value = read_value<Value>(slot, field.limits, Wanted{field.is_filled});
    if (value) out.*field.member = std::move(*value);
}

template <Options T>
auto read_map(MapReader map, std::span<const std::string_view> elsewhere, bool partial) -> T {
    T out{};
    std::apply([&](const auto&... list) { (read_field(map, list, out), ...); }, fields_of<T>());
    static constexpr auto names = keys<T>();
    if (!partial) map.refuse_others(names, elsewhere);
    return out;
}

}  // namespace detail

template <Options T>
auto read(const Node& node, Problems& problems, const ReadOptions& options) -> T {
    std::vector<std::string_view> elsewhere(options.elsewhere.begin(), options.elsewhere.end());
    if (options.typed) elsewhere.emplace_back("type");
    return detail::read_map<T>(detail::MapReader(node, problems, options.where, ""), elsewhere,
                               options.partial);
}

}  // namespace leat::config
