// The catalog's tables, with their partitioned ancestors.
#include "source/postgres/capturable.hpp"

#include <utility>

#include "source/postgres/catalog.hpp"

namespace leat::postgres {

namespace {

// A row for each table and each partitioned table that one is a part of.
constexpr auto capturable_query = R"(
SELECT n.nspname, c.relname, an.nspname, a.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL pg_partition_ancestors(c.oid) line ON line.relid <> c.oid
  LEFT JOIN pg_class a ON a.oid = line.relid LEFT JOIN pg_namespace an ON an.oid = a.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname !~ '^pg_'
   AND n.nspname <> 'information_schema'
 ORDER BY 1, 2)";

}  // namespace

auto make_selection(const std::vector<std::string>& entries) -> Result<TableSelection> {
    SelectionTerms terms;
    terms.context = "postgres";
    terms.code = Code::pg_table_names;
    terms.parse = parse_table_name;
    return TableSelection::make(entries, std::move(terms));
}

auto list_capturable(Connection& connection) -> Result<std::vector<SelectableTable>> {
    std::vector<SelectableTable> there;
    const auto rows = TRY(connection.query(capturable_query));
    for (int row = 0; row < rows.count(); ++row) {
        TableName name{std::string(rows.text(row, 0)), std::string(rows.text(row, 1))};
        if (there.empty() || there.back().name != name) there.push_back({std::move(name)});
        if (!rows.is_null(row, 3))
            there.back().ancestors.push_back(
                {std::string(rows.text(row, 2)), std::string(rows.text(row, 3))});
    }
    return there;
}

}  // namespace leat::postgres
