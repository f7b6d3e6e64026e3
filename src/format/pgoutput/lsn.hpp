// Lsn: a byte position in PostgreSQL's write-ahead log.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace leat::pgoutput {

// 0 is no position at all (the server's InvalidXLogRecPtr).
struct Lsn {
    std::uint64_t value = 0;

    [[nodiscard]] auto valid() const -> bool { return value != 0; }
    friend auto operator==(Lsn, Lsn) -> bool = default;
    friend auto operator<=>(Lsn, Lsn) = default;
};

// "16/B374D848", as the server prints it.
auto to_string(Lsn lsn) -> std::string;
auto parse_lsn(std::string_view text) -> Result<Lsn>;

}  // namespace leat::pgoutput
