// CRC-32C (Castagnoli), the checksum of everything in the log.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat::log_queue {

// `before`: the checksum of what came before, 0 at the start.
auto crc32c(std::string_view bytes, std::uint32_t before = 0) -> std::uint32_t;
// The same without the processor's instruction; also the oracle of its test.
auto crc32c_portable(std::string_view bytes, std::uint32_t before = 0) -> std::uint32_t;

}  // namespace leat::log_queue
