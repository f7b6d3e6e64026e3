// Which columns a Relation message speaks of: it tells names and types in the order of the column
// numbers, but not the numbers. They follow from the version in force and from the catalog, which
// may be newer than the message. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "source/postgres/catalog.hpp"

namespace leat::postgres {

struct SentColumn {
    std::string name;
    std::uint32_t type_oid = 0;  // as declared: of a domain, the domain's
    std::int32_t type_modifier = -1;
    std::string source_type;  // as Column::source_type
};

struct MatchRequest {
    const TableSchema& known;
    const std::vector<SentColumn>& sent;
    const CatalogTable* catalog = nullptr;  // null: the table is gone
    std::uint32_t xid = 0;                  // of the transaction that the message came in
};

// A number per sent column. Numbers are never used twice, so a known column that is still there was
// there then, whatever its name was, and a new one has a higher number than all before it. Where
// more than one reading is left, the one with the most evidence is taken: names and types as they
// were or are, and the order of transactions. Of two that are equal, none: an error. A message that
// is read before the next change is made leaves no more than one.
auto match_columns(const MatchRequest& request) -> Result<std::vector<std::int32_t>>;

// The table is stale (Snapshots::stale).
auto cannot_follow(const TableName& table, const std::string& what) -> Error;

}  // namespace leat::postgres
