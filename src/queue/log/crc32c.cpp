// SSE4.2 where the processor has it, else Boost.CRC.
#include "queue/log/crc32c.hpp"

#include <boost/crc.hpp>

#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace leat::log_queue {

auto crc32c_portable(std::string_view bytes, std::uint32_t before) -> std::uint32_t {
    // The remainder that is continued is kept unreflected by Boost.
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    if (before != 0) {
        std::uint32_t register_bits = ~before;
        std::uint32_t reflected = 0;
        for (int i = 0; i < 32; ++i) {
            reflected = (reflected << 1) | (register_bits & 1);
            register_bits >>= 1;
        }
        crc = boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true>(reflected);
    }
    crc.process_bytes(bytes.data(), bytes.size());
    return static_cast<std::uint32_t>(crc.checksum());
}

#if defined(__x86_64__)
namespace {

__attribute__((target("sse4.2"))) auto crc32c_sse42(std::string_view bytes, std::uint32_t before)
    -> std::uint32_t {
    std::uint64_t crc = static_cast<std::uint32_t>(~before);
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 8; left -= 8, at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; left > 0; --left, ++at) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
    return ~narrow;
}

}  // namespace

auto crc32c(std::string_view bytes, std::uint32_t before) -> std::uint32_t {
    static const bool fast = __builtin_cpu_supports("sse4.2") != 0;
    return fast ? crc32c_sse42(bytes, before) : crc32c_portable(bytes, before);
}
#else
auto crc32c(std::string_view bytes, std::uint32_t before) -> std::uint32_t {
    return crc32c_portable(bytes, before);
}
#endif

}  // namespace leat::log_queue
