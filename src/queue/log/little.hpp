// Writing little-endian integers, the counterpart of base/bytes.hpp's ByteReader for what the log
// puts on disk.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace leat::log_queue {

template <std::integral T>
auto put(std::string& bytes, T value) -> void {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes.append(raw, sizeof(T));
}

template <std::integral T>
auto put_at(std::string& bytes, std::size_t at, T value) -> void {
    std::memcpy(bytes.data() + at, &value, sizeof(T));
}

template <std::integral T>
auto get_at(std::string_view bytes, std::size_t at) -> T {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}

}  // namespace leat::log_queue
