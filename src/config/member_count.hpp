// How many members an aggregate has, asked of the compiler: a struct of N members can be built from
// N values of a type that converts to anything, and not from N + 1.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

namespace leat::config::detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

// Only named in unevaluated code, so the conversion needs no body. An optional is built by its own
// constructor from any value; a second way would make it ambiguous.
struct Anything {
    std::size_t index;
    template <class T>
    requires(!is_optional<T>) operator T() const;  // NOLINT: implicit on purpose
};

template <class T, std::size_t... index>
constexpr auto takes(std::index_sequence<index...> /*unused*/) -> bool {
    return requires {
        T{Anything{index}...};
    };
}

template <class T, std::size_t count>
inline constexpr bool has_members = takes<T>(std::make_index_sequence<count>{}) &&
                                    !takes<T>(std::make_index_sequence<count + 1>{});

}  // namespace leat::config::detail
