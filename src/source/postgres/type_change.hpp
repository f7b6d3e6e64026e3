// What another type of a column means for the values that were read before: told by the two types
// alone, since the server does not say how it converted them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/pgtype/pgtype.hpp"
#include "source/postgres/type_catalog.hpp"

namespace leat::postgres {

enum class TypeChange : std::uint8_t {
    none,
    widened,    // every value of the former type is the same value of the latter
    rewritten,  // values may have changed without an event
};

// `as_text`: the values travel as the server's text, so that their spelling counts too.
auto type_change(const pgtype::PgType& from, const pgtype::PgType& to, bool as_text) -> TypeChange;

// Column::source_type: number and modifier, domains resolved.
auto source_type(const pgtype::PgType& type) -> std::string;
auto parse_source_type(std::string_view text) -> ColumnType;

}  // namespace leat::postgres
