// TypeCatalog: from a column's type number to what the codecs need to know about the type, domains
// resolved. Remembers what it has seen; user-defined types are looked up as they appear.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "format/pgtype/pgtype.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

struct ColumnType {
    std::uint32_t oid = 0;
    std::int32_t modifier = -1;
    std::int32_t dimensions = 0;
};

class TypeCatalog {
public:
    // A type that the catalog no longer knows is text.
    auto resolve(Connection& connection, const ColumnType& column) -> Result<pgtype::PgType>;

private:
    struct Entry {
        pgtype::ScalarType type;
        std::uint32_t base = 0;       // of a domain
        std::uint32_t element = 0;    // of an array
        std::int32_t dimensions = 0;  // of a domain over an array
        char delimiter = ',';
    };
    auto find(Connection& connection, std::uint32_t oid) -> Result<Entry>;
    auto through_domains(Connection& connection, std::uint32_t oid, std::int32_t modifier)
        -> Result<Entry>;

    std::unordered_map<std::uint32_t, Entry> entries_;
};

// How a column is read whose values do not all fit its Arrow type (NaN in a decimal, an array of
// another shape): the same type's exact text.
auto text_mapping(pgtype::PgType type) -> pgtype::ColumnMapping;

// How the values of this type are read so that a known column stays what it was: as the type says,
// or as text where an earlier value did not fit. Nothing: it is another type now.
auto mapping_like(const Column& column, const pgtype::PgType& type)
    -> std::optional<pgtype::ColumnMapping>;

}  // namespace leat::postgres
