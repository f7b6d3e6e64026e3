// What the catalog says about a table, as it stands for the connection's snapshot: read from the
// catalog tables only, never through functions that look past the snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

struct CatalogColumn {
    std::int32_t number = 0;  // attnum: never used twice in a table
    std::string name;
    std::uint32_t type_oid = 0;
    std::int32_t type_modifier = -1;
    std::int32_t dimensions = 0;  // as declared; the server does not enforce them
    bool not_null = false;
    bool has_default = false;
    // The value that rows have which are older than the column, where it is a stored constant.
    std::optional<std::string> missing_value;

    friend auto operator==(const CatalogColumn& a, const CatalogColumn& b) -> bool {
        return a.number == b.number && a.name == b.name && a.type_oid == b.type_oid &&
               a.type_modifier == b.type_modifier;
    }
};

// `xid`: of the transaction that dropped it.
struct DroppedColumn {
    std::int32_t number = 0;
    std::uint32_t xid = 0;
};

// A partition that has rows of its own, at whatever depth.
struct CatalogLeaf {
    TableName name;
    std::uint32_t oid = 0;
    std::uint32_t file_node = 0;
    char kind = 'r';
    char persistence = 'p';
    char replica_identity = 'd';
    bool readable = false;
    std::int64_t blocks = 0;
    std::int64_t rows_per_block = 0;

    friend auto operator==(const CatalogLeaf& a, const CatalogLeaf& b) -> bool {
        return a.oid == b.oid && a.file_node == b.file_node && a.name == b.name &&
               a.replica_identity == b.replica_identity;
    }
};

struct CatalogTable {
    TableName name;
    std::uint32_t oid = 0;
    std::uint32_t file_node = 0;  // of a partitioned table its oldest leaf's
    char kind = 'r';
    char persistence = 'p';
    char replica_identity = 'd';
    std::vector<CatalogLeaf> leaves;           // of a partitioned table, oldest first
    std::vector<CatalogColumn> columns;        // live ones that are not generated, by number
    std::vector<DroppedColumn> dropped;        // by number
    std::vector<CatalogColumn> generated;      // by number
    std::vector<std::int32_t> primary_key;     // column numbers in key order
    std::vector<std::int32_t> identity_index;  // the same of the REPLICA IDENTITY index
    std::int32_t last_number = 0;              // highest number ever given
    std::int64_t blocks = 0;
    std::int64_t rows_per_block = 0;  // 0: never analysed
    bool readable = false;            // SELECT is granted

    [[nodiscard]] auto is_partitioned() const -> bool { return kind == 'p'; }
    // By what old rows are told: empty when by nothing or by the whole row.
    [[nodiscard]] auto key() const -> const std::vector<std::int32_t>&;
    [[nodiscard]] auto identity(bool insert_only) const -> RowIdentity;
    // UPDATE and DELETE would fail at the source once the table is published with them.
    [[nodiscard]] auto lacks_identity() const -> bool;
    [[nodiscard]] auto column(std::int32_t number) const -> const CatalogColumn*;
    [[nodiscard]] auto column(std::string_view column_name) const -> const CatalogColumn*;
};

// Names of columns that are not captured. A table that is in it is published with a column list.
using ExcludedColumns = std::map<TableName, std::set<std::string>>;
// Such columns are none of the table's from here on.
auto leave_out(CatalogTable& table, const ExcludedColumns& excluded) -> void;

// Everything that must not change while an image is read.
auto same_definition(const CatalogTable& a, const CatalogTable& b) -> bool;

// "schema.table" or "table" (schema public) as the user wrote it.
auto parse_table_name(std::string_view text) -> TableName;
auto quote_table(const TableName& name) -> std::string;

auto load_table(Connection& connection, const TableName& name)
    -> Result<std::optional<CatalogTable>>;
auto load_table(Connection& connection, std::uint32_t oid) -> Result<std::optional<CatalogTable>>;

// Returns once a new look at the database sees what these transactions committed. The server sends
// a commit as soon as it is in its log, and lets others see it a moment later: with a synchronous
// standby that is away, as late as that comes back. Fault::retry when it takes too long.
auto await_visible(Connection& connection, const std::vector<std::uint32_t>& xids) -> Result<void>;

}  // namespace leat::postgres
