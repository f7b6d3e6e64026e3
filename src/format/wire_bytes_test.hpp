// WireBytes: hand-built frames for the codecs' tests, in network order.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace leat {

struct WireBytes {
    std::string bytes;

    template <std::integral T>
    auto big(T value) -> WireBytes& {
        const auto wire = ByteReader::from_big(value);
        bytes.append(reinterpret_cast<const char*>(&wire), sizeof wire);
        return *this;
    }
    auto raw(std::string_view more) -> WireBytes& {
        bytes.append(more);
        return *this;
    }
    auto c_string(std::string_view text) -> WireBytes& { return raw(text).big('\0'); }
    // A 32-bit length and the bytes.
    auto sized(std::string_view value) -> WireBytes& {
        return big(static_cast<std::int32_t>(value.size())).raw(value);
    }
};

}  // namespace leat
