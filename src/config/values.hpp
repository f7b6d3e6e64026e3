// The value types of option structs that C++ does not bring: secrets, sizes, durations.
#pragma once

#include <compare>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"

namespace leat::config {

// Text that must not be shown: has no output operator and is masked by describe and show.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}

    // For the call that needs it, never for a message.
    [[nodiscard]] auto reveal() const -> const std::string& { return value_; }
    [[nodiscard]] auto empty() const -> bool { return value_.empty(); }
    auto operator==(const Secret&) const -> bool = default;
    friend auto operator<<(std::ostream&, const Secret&) -> std::ostream& = delete;

private:
    std::string value_;
};

// A size, written with its unit: 64 MiB, 10 GB, 1.5 GiB, 512 B.
struct Bytes {
    std::uint64_t count = 0;
    auto operator<=>(const Bytes&) const = default;

    static constexpr auto kib(std::uint64_t n) -> Bytes { return {n << 10U}; }
    static constexpr auto mib(std::uint64_t n) -> Bytes { return {n << 20U}; }
    static constexpr auto gib(std::uint64_t n) -> Bytes { return {n << 30U}; }
};

// A length of time, written with its unit: 2ms, 24h, 1.5s, 7 d.
using Duration = leat::Duration;

// Nothing: no number with a known unit, or one that does not fit.
auto parse_bytes(std::string_view text) -> std::optional<Bytes>;
auto parse_duration(std::string_view text) -> std::optional<Duration>;

// In the largest unit that is exact: "64 MiB", "10 GB", "1500 ms".
auto to_string(const Bytes& size) -> std::string;
auto to_string(const Duration& duration) -> std::string;

}  // namespace leat::config
