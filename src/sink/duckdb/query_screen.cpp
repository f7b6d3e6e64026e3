// The screen over DuckDB's own JSON form of a parse tree. Texts of the query are escaped in it, so
// that a key with its quotes is always a key.
#include "sink/duckdb/query_screen.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace leat::duckdb {

namespace {

constexpr std::array harmless = std::to_array<std::string_view>({"range",
                                                                 "generate_series",
                                                                 "unnest",
                                                                 "repeat",
                                                                 "json_each",
                                                                 "json_tree",
                                                                 "pragma_table_info",
                                                                 "duckdb_tables",
                                                                 "duckdb_columns",
                                                                 "duckdb_views",
                                                                 "duckdb_types",
                                                                 "duckdb_functions",
                                                                 "duckdb_settings",
                                                                 "duckdb_databases",
                                                                 "duckdb_schemas",
                                                                 "duckdb_constraints",
                                                                 "duckdb_memory",
                                                                 "pragma_database_size",
                                                                 "pragma_version",
                                                                 "pragma_storage_info"});

auto refused(const std::string& why) -> Error {
    return {Fault::config, "query refused: " + why, "Give one SELECT over tables.", "query",
            Code::query_refused};
}

// The text values of `key` in `tree` from `from` on, at most `count_max`.
auto values_of(std::string_view tree, std::string_view key, std::size_t from = 0,
               std::size_t count_max = SIZE_MAX) -> std::vector<std::string> {
    std::vector<std::string> values;
    const auto opening = "\"" + std::string(key) + "\":\"";
    for (auto at = tree.find(opening, from); at != std::string_view::npos && count_max > 0;
         at = tree.find(opening, at), --count_max) {
        at += opening.size();
        std::string value;
        for (; at < tree.size() && tree[at] != '"'; ++at) {
            if (tree[at] == '\\' && at + 1 < tree.size()) ++at;
            value += tree[at];
        }
        values.push_back(std::move(value));
    }
    return values;
}

auto screen_functions(std::string_view tree) -> Result<void> {
    constexpr std::string_view mark = "\"type\":\"TABLE_FUNCTION\"";
    for (auto at = tree.find(mark); at != std::string_view::npos;
         at = tree.find(mark, at + mark.size())) {
        // The function's own name comes before those of its arguments.
        const auto names = values_of(tree, "function_name", at, 1);
        const auto name = names.empty() ? std::string() : names.front();
        if (std::find(harmless.begin(), harmless.end(), name) == harmless.end())
            return refused("table function " + name + " is not allowed");
    }
    return {};
}

// A name that the catalog does not know may be taken for a file.
auto screen_names(Connection& connection, std::string_view tree) -> Result<void> {
    for (const auto& name : values_of(tree, "table_name")) {
        if (name.find_first_of("./\\*?") == std::string::npos) continue;
        const auto known = TRY(connection.rows(
            "SELECT table_name FROM duckdb_tables() WHERE table_name = " + literal(name) +
            " UNION ALL SELECT view_name FROM duckdb_views() WHERE view_name = " + literal(name)));
        if (known.empty()) return refused("no table is named " + name);
    }
    return {};
}

}  // namespace

auto screen(Connection& connection, const std::string& sql) -> Result<void> {
    const auto rows =
        TRY(connection.rows("SELECT json_serialize_sql(" + literal(sql) + ")::VARCHAR"));
    const auto tree = rows.at(0).at(0).value_or("");
    if (!tree.starts_with(R"({"error":false)")) return refused("not a SELECT");
    TRY(screen_functions(tree));
    return screen_names(connection, tree);
}

}  // namespace leat::duckdb
