// Reading network-order integers out of untrusted bytes: never past the end, never throwing.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace leat {

// A cursor over borrowed bytes. After any read past the end `ok()` is false and stays so, every
// later read yields zero or nothing: decoders read a whole message and check once.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    [[nodiscard]] auto ok() const -> bool { return ok_; }
    [[nodiscard]] auto remaining() const -> std::size_t { return rest_.size(); }
    [[nodiscard]] auto rest() const -> std::string_view { return rest_; }

    // Big-endian, as on PostgreSQL's wire.
    template <std::integral T>
    auto big() -> T {
        T value{};
        if (rest_.size() < sizeof(T)) return fail(), value;
        std::memcpy(&value, rest_.data(), sizeof(T));
        rest_.remove_prefix(sizeof(T));
        return from_big(value);
    }
    // Little-endian, as in the log's frames.
    template <std::integral T>
    auto little() -> T {
        static_assert(std::endian::native == std::endian::little);
        T value{};
        if (rest_.size() < sizeof(T)) return fail(), value;
        std::memcpy(&value, rest_.data(), sizeof(T));
        rest_.remove_prefix(sizeof(T));
        return value;
    }
    auto take(std::size_t count) -> std::string_view {
        if (rest_.size() < count) return fail(), std::string_view{};
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    // Up to a NUL byte, which is consumed and not returned.
    auto c_string() -> std::string_view {
        const auto end = rest_.find('\0');
        if (end == std::string_view::npos) return fail(), std::string_view{};
        const auto text = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return text;
    }

    template <std::integral T>
    static auto from_big(T value) -> T {
        using U = std::make_unsigned_t<T>;
        if constexpr (sizeof(T) == 1) return value;
        else if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<U>(value)));
        else if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<U>(value)));
        else return static_cast<T>(__builtin_bswap64(static_cast<U>(value)));
    }

private:
    auto fail() -> void {
        ok_ = false;
        rest_ = {};
    }

    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace leat
