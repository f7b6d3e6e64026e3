// Mixes: how many of all changes are of which kind.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace leat::simulate {

struct Mix {
    std::string_view name;
    std::string_view what;
    double insert = 0;
    double update = 0;
    double remove = 0;
    double rekey = 0;
    bool skewed = false;  // a few rows get most of the changes
    bool nasty = false;   // with what hurts, on tables of its own
};

inline constexpr std::array mixes = {
    Mix{.name = "steady",
        .what = "inserts, updates and deletes, 40 : 50 : 10",
        .insert = 0.4,
        .update = 0.5,
        .remove = 0.1},
    Mix{.name = "inserts", .what = "inserts alone", .insert = 1},
    Mix{.name = "updates", .what = "updates alone, of rows that are there", .update = 1},
    Mix{.name = "moving",
        .what = "inserts, updates, deletes and changes of keys, 40 : 35 : 15 : 10; a few rows get "
                "most of them",
        .insert = 0.4,
        .update = 0.35,
        .remove = 0.15,
        .rekey = 0.1,
        .skewed = true},
    Mix{.name = "nasty",
        .what = "steady, and on tables of its own whatever is hard to follow",
        .insert = 0.4,
        .update = 0.5,
        .remove = 0.1,
        .skewed = true,
        .nasty = true},
};

constexpr auto find_mix(std::string_view name) -> std::optional<Mix> {
    for (const auto& mix : mixes)
        if (mix.name == name) return mix;
    return std::nullopt;
}

}  // namespace leat::simulate
