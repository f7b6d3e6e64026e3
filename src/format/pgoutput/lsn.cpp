// Lsn: its text form, two hexadecimal halves.
#include "format/pgoutput/lsn.hpp"

#include <charconv>
#include <cstdio>

namespace leat::pgoutput {

auto to_string(Lsn lsn) -> std::string {
    char text[24];
    const int size =
        std::snprintf(text, sizeof text, "%X/%X", static_cast<unsigned>(lsn.value >> 32),
                      static_cast<unsigned>(lsn.value & 0xffffffffU));
    return {text, static_cast<std::size_t>(size)};
}

auto parse_lsn(std::string_view text) -> Result<Lsn> {
    const auto half = [](std::string_view digits, std::uint32_t& value) {
        const auto* const end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
        return error == std::errc{} && stop == end && digits.size() <= 8;
    };
    const auto slash = text.find('/');
    std::uint32_t high = 0;
    std::uint32_t low = 0;
    if (slash == std::string_view::npos || !half(text.substr(0, slash), high) ||
        !half(text.substr(slash + 1), low))
        return Error{Fault::fatal, "not a wal position: " + std::string(text.substr(0, 40)), "",
                     ""};
    return Lsn{std::uint64_t{high} << 32 | low};
}

}  // namespace leat::pgoutput
