// Relations: which version of a table the stream's rows belong to. A Relation message tells names
// and types only; match_columns() finds out which columns they are, and here is decided what a
// difference means for the rows that exist.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "format/pgoutput/message.hpp"
#include "source/postgres/catalog.hpp"
#include "source/postgres/column_match.hpp"
#include "source/postgres/config.hpp"
#include "source/postgres/layout.hpp"

namespace leat::postgres {

// A table that this pipeline captures: its newest schema and its number in the catalog. `from`:
// what was committed up to there is of no use, because an image is yet to be taken; 0: all is.
struct KnownTable {
    SchemaPtr schema;
    std::uint32_t oid = 0;
    std::uint32_t file_node = 0;
    std::uint64_t from = 0;
    std::vector<CatalogColumn> generated{};  // as found when opened
    bool is_listed = false;  // published with a column list, to which nothing is ever added
};

// A change that source.on_schema_change does not allow. The place in the stream is kept, so that it
// can still be followed.
auto frozen(Error error, OnSchemaChange contract) -> Error;
auto changed(const TableName& table, const std::string& what) -> Error;

struct RelationOptions {
    ConnectOptions sql;
    OnSchemaChange on_schema_change = OnSchemaChange::evolve;
};

class Relations {
public:
    Relations(RelationOptions options, std::vector<KnownTable> tables);

    // The layout of the rows that follow for this relation; nothing: not a table of this pipeline.
    // `xid`: of the committed transaction that describes it.
    // A change that cannot be followed is an error and makes the table stale; with `freeze` any is
    // fatal.
    auto accept(const pgoutput::Relation& relation, std::uint32_t xid)
        -> Result<std::optional<TableLayout>>;
    [[nodiscard]] auto stale() const -> const std::set<TableName>& { return stale_; }

    // Whether what a transaction changed in the table is of use; `commit`: no further than its end.
    [[nodiscard]] auto is_of_use(const TableName& table, Lsn commit) const -> bool;

    // A value did not fit its column. It is read as text from now on, a new version; or, where the
    // shape must stay, every value of it is looked at first.
    auto make_room(const TableName& table, int column) -> Result<TableLayout>;

private:
    struct Entry {
        KnownTable table;
        std::vector<pgtype::PgType> types;
        std::vector<pgtype::ColumnMapping> mappings;
        std::vector<Place> places;         // of the columns as sent, where the shape must stay
        std::set<std::int32_t> generated;  // numbers of columns seen to be
    };
    struct Sent {
        SentColumn column;
        pgtype::PgType type;
        bool key = false;
    };
    // One column of a Relation message with what was found out about it.
    struct Found {
        Column column;
        pgtype::PgType type;
        pgtype::ColumnMapping mapping;
        bool key = false;
    };

    auto compare(const pgoutput::Relation& relation, std::uint32_t xid, Entry& entry)
        -> Result<TableLayout>;
    auto sql() -> Result<Connection*>;
    auto send_columns(const pgoutput::Relation& relation) -> Result<std::vector<Sent>>;
    auto type_name(std::string_view source_type) -> Result<std::string>;
    static auto check_key(const TableSchema& known, const pgoutput::Relation& relation,
                          std::vector<std::int32_t> sent_key, const CatalogTable* catalog)
        -> Result<void>;
    // Freeze: the change by name.
    auto refuse_change(const TableSchema& known, const TableSchema& next) -> Result<void>;
    // The same where the shape must stay (relations_fit.cpp).
    [[nodiscard]] auto keeps_shape(const TableSchema& known) const -> bool {
        return is_discarding(options_.on_schema_change) && known.identity != RowIdentity::full_row;
    }
    auto keep_shape(const pgoutput::Relation& relation, Entry& entry, const CatalogTable* catalog,
                    std::uint32_t xid) -> Result<TableLayout>;
    auto place(const Sent& sent, std::int32_t number, Entry& entry, std::string& changes)
        -> Result<Place>;
    auto place_dropped(Entry& entry, std::string& changes) -> Result<void>;
    auto look_at_values(Entry& entry, int column) -> Result<TableLayout>;
    auto fitting_layout(const Entry& entry) const -> Result<TableLayout>;
    auto former_mapping(const Column& was) -> Result<pgtype::ColumnMapping>;
    auto find_columns(const pgoutput::Relation& relation, const Entry& entry,
                      const CatalogTable* catalog, std::uint32_t xid) -> Result<std::vector<Found>>;
    auto follow(const Column& was, const Sent& sent, const TableName& table) -> Result<Found>;
    auto add(const Sent& sent, const CatalogColumn* now, const Entry& entry,
             const CatalogTable& catalog) -> Result<Found>;
    static auto was_rewritten(const Entry& entry, const CatalogTable& catalog) -> bool {
        return entry.table.file_node != 0 && catalog.file_node != entry.table.file_node;
    }

    const RelationOptions options_;
    std::optional<Connection> sql_;
    TypeCatalog types_;
    std::map<TableName, Entry> tables_;
    std::set<TableName> stale_;
};

}  // namespace leat::postgres
