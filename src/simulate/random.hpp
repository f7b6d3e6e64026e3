// Chance from a seed: the same seed draws the same in every run of one build.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace leat::simulate {

// One thread at a time.
class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    // 0 … bound-1; bound > 0.
    auto below(std::int64_t bound) -> std::int64_t {
        return std::uniform_int_distribution<std::int64_t>(0, bound - 1)(engine_);
    }
    auto between(std::int64_t first, std::int64_t last) -> std::int64_t {
        return first + below(last - first + 1);
    }
    auto share() -> double { return std::uniform_real_distribution<double>()(engine_); }
    auto chance(double probability) -> bool { return share() < probability; }
    // 0 … bound-1, the low ones far more often than the high: half of all draws fall below the
    // square root of bound.
    auto skewed_below(std::int64_t bound) -> std::int64_t {
        const auto drawn = std::exp(share() * std::log(static_cast<double>(bound)));
        return std::min(static_cast<std::int64_t>(drawn) - 1, bound - 1);
    }
    template <class T, std::size_t count>
    auto pick(const std::array<T, count>& from) -> const T& {
        return from.at(static_cast<std::size_t>(below(static_cast<std::int64_t>(count))));
    }
    // Hexadecimal digits, which hardly compress.
    auto hex(std::size_t length) -> std::string {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string text(length, '0');
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < length; ++i, bits >>= 4U) {
            if (i % 16 == 0) bits = engine_();
            text[i] = digits[bits & 0xfU];
        }
        return text;
    }

private:
    std::mt19937_64 engine_;
};

}  // namespace leat::simulate
