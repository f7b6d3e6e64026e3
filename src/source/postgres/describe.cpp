// PostgresSource as Describable: its tables as a pipeline would see them if it began now.
#include <utility>

#include "source/postgres/layout.hpp"
#include "source/postgres/postgres_source.hpp"

namespace leat::postgres {

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
        DescribedTable one{layout.schema, "", must_be_whole(name)};
        // Unchanged values that are stored out of line are not sent, unless the whole old row is.
        if (table->replica_identity != 'f')
            one.whole_rows_remedy =
                std::string(excluded_.contains(name) ? "after removing it from source.columns: "
                                                     : "") +
                "ALTER TABLE " + quote_table(table->name) + " REPLICA IDENTITY FULL;";
        if (!one.whole_rows_remedy.empty())
            for (const auto& leaf : table->leaves)
                one.whole_rows_remedy +=
                    " ALTER TABLE " + quote_table(leaf.name) + " REPLICA IDENTITY FULL;";
        described.push_back(std::move(one));
    }
    return described;
}

}  // namespace leat::postgres
