// PostgreSQL's wire times (microseconds since 2000-01-01) and ours (since 1970-01-01).
#pragma once

#include <cstdint>

namespace leat::pgoutput {

inline constexpr std::int64_t postgres_epoch_us = 946'684'800'000'000;

// Wraps around for absurd values instead of overflowing: the bytes are untrusted.
constexpr auto from_wire_time(std::int64_t time_us) -> std::int64_t {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time_us) + postgres_epoch_us);
}
constexpr auto to_wire_time(std::int64_t time_us) -> std::int64_t {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time_us) - postgres_epoch_us);
}

}  // namespace leat::pgoutput
