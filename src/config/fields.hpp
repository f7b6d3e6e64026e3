// The one list of an option struct, from which reading, suggestions, documents and masking follow:
//
//     struct LogOptions {
//         std::filesystem::path path;
//         config::Bytes size_max = config::Bytes::gib(10);
//         OnLogFull on_log_full = OnLogFull::block;
//
//         static constexpr auto fields() {
//             return config::fields(
//                 config::field("path", &LogOptions::path, "folder of the log").required(),
//                 config::field("size_max", &LogOptions::size_max, "cap").at_least(Bytes::mib(64)),
//                 config::field("on_log_full", &LogOptions::on_log_full, "what a full log does"));
//         }
//     };
//
// A member that the list does not name, or names twice, does not compile. Members may be bool, any
// integer, double, std::string, std::filesystem::path, Secret, Bytes, Duration (or any whole
// std::chrono duration), an enum E with
// `constexpr auto names_of(E) { return std::array{config::EnumName{E::a, "a"}, ...}; }` beside it,
// an option struct, std::optional, std::vector of these, and std::map from text to them.
// read() is in read.hpp; field_infos(), describe() and show() are in describe.hpp.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "config/member_count.hpp"
#include "config/values.hpp"

namespace leat::config {

template <class E>
struct EnumName {
    E value;
    std::string_view name;
};
template <class E>
EnumName(E, std::string_view) -> EnumName<E>;

template <class T>
concept Options = requires {
    T::fields();
};

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

template <class T>
inline constexpr bool is_duration = false;
template <class Count, class Period>
inline constexpr bool is_duration<std::chrono::duration<Count, Period>> = Integer<Count>;

template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;

template <class T>
concept Bounded = Integer<T> || std::same_as<T, double> || std::same_as<T, Bytes> || is_duration<T>;

namespace detail {

template <class T>
struct Inner {
    using type = T;
};
template <class T>
struct Inner<std::optional<T>> {
    using type = T;
};

struct Unbounded {};

// What the bounds of a member are made of.
template <class M>
using BoundOf =
    std::conditional_t<Bounded<typename Inner<M>::type>, typename Inner<M>::type, Unbounded>;

}  // namespace detail

template <class Bound>
struct Limits {
    std::optional<Bound> min{};
    std::optional<Bound> max{};
};
template <>
struct Limits<detail::Unbounded> {};

template <class Owner, class M>
struct Field {
    using Member = M;
    using Bound = detail::BoundOf<M>;

    std::string_view name;
    M Owner::*member;
    std::string_view doc;
    Limits<Bound> limits{};
    bool is_required = false;
    bool is_filled = false;

    // The key must be there.
    [[nodiscard]] constexpr auto required() const -> Field {
        auto field = *this;
        field.is_required = true;
        return field;
    }
    // Text and lists: something must be in it. Elements of lists and paths are never empty.
    [[nodiscard]] constexpr auto not_empty() const -> Field {
        auto field = *this;
        field.is_filled = true;
        return field;
    }
    [[nodiscard]] constexpr auto at_least(Bound min) const -> Field requires Bounded<Bound> {
        auto field = *this;
        field.limits.min = min;
        return field;
    }
    [[nodiscard]] constexpr auto at_most(Bound max) const -> Field requires Bounded<Bound> {
        auto field = *this;
        field.limits.max = max;
        return field;
    }
    [[nodiscard]] constexpr auto between(Bound min, Bound max) const
        -> Field requires Bounded<Bound> {
        return at_least(min).at_most(max);
    }
};

// `doc`: one line, lower case.
template <class Owner, class M>
constexpr auto field(std::string_view name, M Owner::*member, std::string_view doc)
    -> Field<Owner, M> {
    return {name, member, doc};
}

template <class Owner, class... M>
constexpr auto fields(Field<Owner, M>... list) -> std::tuple<Field<Owner, M>...> {
    static_assert(std::is_aggregate_v<Owner>, "an option struct is plain data");
    static_assert(detail::has_members<Owner, sizeof...(M)>,
                  "fields() must name every member of its struct, each once");
    return {list...};
}

// The keys of an option struct, in the order of its list.
template <Options T>
constexpr auto keys() {
    return std::apply(
        [](const auto&... list) {
            return std::array<std::string_view, sizeof...(list)>{list.name...};
        },
        T::fields());
}

namespace detail {

template <class A, class B>
constexpr auto clash(const A& a, const B& b) -> bool {
    if (a.name == b.name) return true;
    if constexpr (std::same_as<decltype(a.member), decltype(b.member)>) {
        return a.member == b.member;
    } else {
        return false;
    }
}

// Two entries with one name or one member; a list of the right length then misses another.
template <Options T>
constexpr auto has_clash() -> bool {
    return std::apply(
        [](const auto&... list) {
            std::size_t clashes = 0;
            const auto count = [&](const auto& one) {
                clashes += (static_cast<std::size_t>(clash(one, list)) + ...);
            };
            (count(list), ...);
            return clashes != sizeof...(list);  // each clashes with itself
        },
        T::fields());
}

}  // namespace detail

// The list, checked as a whole.
template <Options T>
constexpr auto fields_of() {
    static_assert(!detail::has_clash<T>(), "fields() names a member or a key twice");
    return T::fields();
}

}  // namespace leat::config
