// Reading and writing of sizes and durations; see values.hpp. Whole arithmetic only, so that what
// is read is exactly what is written.
#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <span>

namespace leat::config {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::uint64_t thousand = 1000;
constexpr std::array<Unit, 9> size_units{{
    {"B", 1},
    {"KB", thousand},
    {"KiB", 1ULL << 10U},
    {"MB", thousand* thousand},
    {"MiB", 1ULL << 20U},
    {"GB", thousand* thousand* thousand},
    {"GiB", 1ULL << 30U},
    {"TB", thousand* thousand* thousand* thousand},
    {"TiB", 1ULL << 40U},
}};

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::array<Unit, 7> time_units{{
    {"ns", 1},
    {"us", thousand},
    {"ms", thousand* thousand},
    {"s", second},
    {"min", 60 * second},
    {"h", 3600 * second},
    {"d", 24 * 3600 * second},
}};

auto same_word(std::string_view a, std::string_view b) -> bool {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::tolower(static_cast<unsigned char>(a[i])) !=
            std::tolower(static_cast<unsigned char>(b[i]))) {
            return false;
        }
    }
    return true;
}

// digits [ . digits ] spaces unit, as a whole count of the smallest unit.
auto parse_amount(std::string_view text, std::span<const Unit> units)
    -> std::optional<std::uint64_t> {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t digits = 0;  // all of them, without the point
    std::uint64_t scale = 1;   // 10 to the number of digits after the point
    bool point = false;
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '.' && !point && at > 0) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') break;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (digits > (most - digit) / 10) return std::nullopt;
        digits = digits * 10 + digit;
        if (point) scale *= 10;
        if (scale > second) return std::nullopt;
    }
    if (at == 0 || text[at - 1] == '.') return std::nullopt;
    auto unit = text.substr(at);
    unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
    for (const auto& [name, factor] : units) {
        if (!same_word(unit, name)) continue;
        const auto whole = digits / scale;
        const auto part = digits % scale;
        if (whole > most / factor || (part > 0 && factor > most / part)) return std::nullopt;
        const auto rest = part * factor / scale;
        if (whole * factor > most - rest) return std::nullopt;
        return whole * factor + rest;
    }
    return std::nullopt;
}

auto format_amount(std::uint64_t count, std::span<const Unit> units, std::string_view zero)
    -> std::string {
    if (count == 0) return std::string(zero);
    const Unit* best = units.data();
    for (const auto& unit : units) {
        if (count % unit.factor == 0 && unit.factor >= best->factor) best = &unit;
    }
    return std::to_string(count / best->factor) + " " + std::string(best->name);
}

}  // namespace

auto parse_bytes(std::string_view text) -> std::optional<Bytes> {
    const auto count = parse_amount(text, size_units);
    if (!count) return std::nullopt;
    return Bytes{*count};
}

auto parse_duration(std::string_view text) -> std::optional<Duration> {
    if (text == "0") return Duration{0};
    auto count = parse_amount(text, time_units);
    if (!count && text.ends_with('m')) count = parse_amount(std::string(text) + "in", time_units);
    constexpr auto most = static_cast<std::uint64_t>(Duration::max().count());
    if (!count || *count > most) return std::nullopt;
    return Duration{static_cast<std::int64_t>(*count)};
}

auto to_string(const Bytes& size) -> std::string {
    return format_amount(size.count, size_units, "0 B");
}

auto to_string(const Duration& duration) -> std::string {
    const auto count = duration.count();
    if (count < 0)
        return "-" + format_amount(0 - static_cast<std::uint64_t>(count), time_units, "");
    return format_amount(static_cast<std::uint64_t>(count), time_units, "0 s");
}

}  // namespace leat::config
