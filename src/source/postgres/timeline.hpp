// Timelines: whether what was read before a failover is part of the history of the server that took
// over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

// An ancestor in a timeline's history: its log is the server's own up to `end`.
struct Ancestor {
    std::uint32_t timeline = 0;
    Lsn end{};

    friend auto operator==(const Ancestor&, const Ancestor&) -> bool = default;
};

// A timeline history file: "timeline<tab>end<tab>reason" a line, oldest first. Other lines are
// none.
auto parse_history(std::string_view text) -> std::vector<Ancestor>;

struct TimelineChange {
    std::string was;
    std::string now;
    Lsn position{};  // reached on `was`
};

// Over a replication connection. Fatal (a gap) where the server's history does not hold all up to
// the position; config where the server is the one that was left behind.
auto check_timeline(Connection& replication, const TimelineChange& change) -> Result<void>;

}  // namespace leat::postgres
