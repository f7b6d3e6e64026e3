// Whether bytes are UTF-8 as Arrow, JSON and every sink expect it. Servers send other things: an
// SQL_ASCII database, a driver that never checked.
#pragma once

#include <cstddef>
#include <string_view>

namespace leat {

// Rejects overlong forms, surrogates and code points past U+10FFFF.
auto is_utf8(std::string_view text) -> bool;

// Bytes of the well-formed sequence at `at`, of which `left` (at least 1) may be read; 0: none.
auto utf8_sequence_bytes(const char* at, std::size_t left) -> std::size_t;

}  // namespace leat
