// PostgresSource as Describable: its tables as a pipeline would see them if it began now.
#include <utility>

#include "source/postgres/layout.hpp"
#include "source/postgres/postgres_source.hpp"

namespace leat::postgres {

namespace {

auto whole_rows_remedy(const CatalogTable& table, bool excludes_columns) -> std::string {
    std::string remedy = excludes_columns ? "after removing it from source.columns: " : "";
    remedy += "ALTER TABLE " + quote_table(table.name) + " REPLICA IDENTITY FULL;";
    for (const auto& leaf : table.leaves)
        remedy += " ALTER TABLE " + quote_table(leaf.name) + " REPLICA IDENTITY FULL;";
    return remedy;
}

}  // namespace

auto PostgresSource::describe_tables() -> Result<std::vector<DescribedTable>> {
    auto sql = TRY(Connection::connect(options("check")));
    TypeCatalog types;
    std::vector<DescribedTable> described;
    for (const auto& name : TRY(select_tables(sql)).tables) {
        auto table = TRY(load_table(sql, name));
        if (!table) continue;  // check() has said so
        leave_out(*table, excluded_);
        const LayoutOptions layout_options{config_.insert_only, 0};
        const auto layout = TRY(layout_of(*table, sql, types, {}, layout_options));
        DescribedTable one{.schema = layout.schema, .must_be_whole = must_be_whole(name)};
        // Unchanged values that are stored out of line are not sent, unless the whole old row is.
        if (table->replica_identity != 'f') {
            for (const auto& column : layout.schema->columns)
                if (may_lack(column)) one.unsent.insert(column.name);
            one.whole_rows_remedy = whole_rows_remedy(*table, excluded_.contains(name));
        }
        described.push_back(std::move(one));
    }
    return described;
}

}  // namespace leat::postgres
