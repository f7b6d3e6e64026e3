// Whether bytes are UTF-8 as Arrow and every sink expect it: a server whose database is SQL_ASCII
// sends anything.
#pragma once

#include <string_view>

namespace leat::pgtype {

// Rejects overlong forms, surrogates and code points past U+10FFFF.
auto is_utf8(std::string_view text) -> bool;

}  // namespace leat::pgtype
