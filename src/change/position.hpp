// Position: where a change stands at the source. The one order in which everything is compared.
// Plain values; thread-safe as such.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace leat {

// Compares by lineage, then commit, then ordinal. The token is carried along and never compared.
//   lineage  raised whenever capture begins anew (new slot, timeline, cluster, gap)
//   commit   totally ordered commit number of the source. PostgreSQL: end LSN of the commit record
//            (endLSN of pgoutput's Commit message), never the LSN of a single record
//   ordinal  index of the change in its transaction, counted from 0 over the surviving rows
//   token    what the source needs to resume here and to recognise itself; opaque to all others
// Snapshot rows carry the consistent point as commit and a running row number as ordinal.
struct Position {
    std::uint32_t lineage = 0;
    std::uint64_t commit = 0;
    std::uint64_t ordinal = 0;
    std::string token;

    friend auto operator==(const Position& a, const Position& b) -> bool {
        return (a <=> b) == std::strong_ordering::equal;
    }
    friend auto operator<=>(const Position& a, const Position& b) -> std::strong_ordering {
        if (const auto order = a.lineage <=> b.lineage; order != 0) return order;
        if (const auto order = a.commit <=> b.commit; order != 0) return order;
        return a.ordinal <=> b.ordinal;
    }
};

// "lineage/commit/ordinal", for messages and inspection.
auto to_string(const Position& position) -> std::string;

}  // namespace leat
