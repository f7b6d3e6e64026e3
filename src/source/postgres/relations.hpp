// Relations: which version of a table the stream's rows belong to. A Relation message tells names
// and types only; what a difference means (added, dropped, renamed, another column of the same
// name) is read from the catalog, which may be newer than the message.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "format/pgoutput/message.hpp"
#include "source/postgres/catalog.hpp"
#include "source/postgres/layout.hpp"

namespace leat::postgres {

// A table that this pipeline captures: its newest schema and its number in the catalog. `from`: what
// was committed up to there is of no use, because an image is yet to be taken; 0: all is.
struct KnownTable {
    SchemaPtr schema;
    std::uint32_t oid = 0;
    std::uint32_t file_node = 0;
    std::uint64_t from = 0;
};

class Relations {
public:
    Relations(ConnectOptions sql, std::vector<KnownTable> tables);

    // The layout of the rows that follow for this relation; nothing: not a table of this pipeline.
    // `xid`: of the committed transaction that describes it.
    // A change that cannot be followed is fatal, naming the table, the change and the remedy.
    auto accept(const pgoutput::Relation& relation, std::uint32_t xid)
        -> Result<std::optional<TableLayout>>;

    // Whether what a transaction changed in the table is of use; `commit`: no further than its end.
    [[nodiscard]] auto is_of_use(const TableName& table, Lsn commit) const -> bool;

    // From now on `column` is read as text, because a value did not fit: a new version.
    auto widen_to_text(const TableName& table, int column) -> Result<TableLayout>;

private:
    struct Entry {
        KnownTable table;
        std::vector<pgtype::PgType> types;
        std::vector<pgtype::ColumnMapping> mappings;
    };
    // One column of a Relation message with what was found out about it.
    struct Found {
        Column column;
        pgtype::PgType type;
        pgtype::ColumnMapping mapping;
        bool key = false;
        bool added = false;
    };

    auto sql() -> Result<Connection*>;
    auto find_columns(const pgoutput::Relation& relation, const Entry& entry,
                      const CatalogTable* catalog) -> Result<std::vector<Found>>;
    auto find_added(Found found, const pgoutput::RelationColumn& sent, std::int32_t after,
                    const Entry& entry, const CatalogTable* catalog) -> Result<Found>;

    const ConnectOptions sql_options_;
    std::optional<Connection> sql_;
    TypeCatalog types_;
    std::map<TableName, Entry> tables_;
};

}  // namespace leat::postgres
