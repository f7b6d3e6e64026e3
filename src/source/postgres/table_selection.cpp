// Patterns over table names.
#include "source/postgres/table_selection.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "source/postgres/catalog.hpp"

namespace leat::postgres {

namespace {

// Tables whose changes are in the log, a row for each partitioned table that one is a part of.
constexpr auto capturable_query = R"(
SELECT n.nspname, c.relname, an.nspname, a.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL pg_partition_ancestors(c.oid) line ON line.relid <> c.oid
  LEFT JOIN pg_class a ON a.oid = line.relid LEFT JOIN pg_namespace an ON an.oid = a.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname !~ '^pg_'
   AND n.nspname <> 'information_schema'
 ORDER BY 1, 2)";

auto refuse(const std::string& what, const std::string& hint) -> Error {
    return Error{Fault::config, what, hint, "postgres", Code::pg_table_names};
}

auto glob(std::string_view pattern, std::string_view text) -> bool {
    std::size_t at = 0;
    std::size_t in = 0;
    auto star = std::string_view::npos;  // the last one seen, and how far it reaches
    std::size_t reached = 0;
    while (in < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            reached = in;
        } else if (at < pattern.size() && pattern[at] == text[in]) {
            ++at;
            ++in;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in = ++reached;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace

auto TablePattern::is_exact() const -> bool {
    return name.schema.find('*') == std::string::npos && name.table.find('*') == std::string::npos;
}

auto TablePattern::matches(const TableName& table) const -> bool {
    return glob(name.schema, table.schema) && glob(name.table, table.table);
}

auto parse_pattern(std::string_view text) -> TablePattern {
    TablePattern pattern;
    pattern.text = text;
    pattern.is_exclusion = text.starts_with('!');
    if (pattern.is_exclusion) text.remove_prefix(1);
    pattern.name = parse_table_name(text);
    return pattern;
}

auto TableSelection::make(const std::vector<std::string>& entries) -> Result<TableSelection> {
    TableSelection selection;
    std::set<TableName> names;
    for (const auto& entry : entries) {
        auto pattern = parse_pattern(entry);
        if (pattern.name.schema.empty() || pattern.name.table.empty())
            return refuse("source.tables has an entry without a name: " + entry,
                          "Write it as schema.table.");
        if (!pattern.is_exclusion && !names.insert(pattern.name).second)
            return refuse("source.tables names a table twice: " + to_string(pattern.name),
                          "Remove one of them.");
        selection.patterns_.push_back(std::move(pattern));
    }
    if (names.empty()) return refuse("source.tables is empty", "Name at least one table.");
    return selection;
}

auto TableSelection::resolve(Connection& connection) const -> Result<SelectedTables> {
    std::vector<CapturableTable> there;
    const auto rows = TRY(connection.query(capturable_query));
    for (int row = 0; row < rows.count(); ++row) {
        TableName name{std::string(rows.text(row, 0)), std::string(rows.text(row, 1))};
        if (there.empty() || there.back().name != name) there.push_back({std::move(name)});
        if (!rows.is_null(row, 3))
            there.back().ancestors.push_back(
                {std::string(rows.text(row, 2)), std::string(rows.text(row, 3))});
    }
    return choose(there);
}

auto TableSelection::excludes(const TableName& table) const -> bool {
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& pattern) {
        return pattern.is_exclusion && pattern.matches(table);
    });
}

auto TableSelection::names(const TableName& table) const -> bool {
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& pattern) {
        return !pattern.is_exclusion && pattern.is_exact() && pattern.name == table;
    });
}

// Their rows come as the captured table's.
auto TableSelection::leave_out_partitions(SelectedTables& selected,
                                          const std::vector<CapturableTable>& there) const
    -> Result<void> {
    std::set<TableName> all(selected.tables.begin(), selected.tables.end());
    const auto found = all;
    for (const auto& part : there) {
        const bool has_owner =
            std::any_of(part.ancestors.begin(), part.ancestors.end(), [&](const auto& one) {
                return found.contains(one) || excludes(one);
            });
        if (!has_owner || names(part.name)) continue;
        all.erase(part.name);
        std::erase(selected.tables, part.name);
        for (auto& match : selected.matches)
            if (!match.pattern.is_exclusion) std::erase(match.tables, part.name);
    }
    for (const auto& part : there)
        for (const auto& owner : part.ancestors)
            if (all.contains(part.name) && all.contains(owner))
                return refuse("source.tables has a partition beside its table: " +
                                  to_string(part.name) + " and " + to_string(owner),
                              "Remove the partition: its rows come with the table's. Or leave out "
                              "the table: !" + to_string(owner));
    return {};
}

auto TableSelection::choose(const std::vector<CapturableTable>& there) const
    -> Result<SelectedTables> {
    SelectedTables selected;
    std::vector<TableName> wanted;
    for (const auto& pattern : patterns_)
        if (pattern.is_exact() && !pattern.is_exclusion) wanted.push_back(pattern.name);
    for (const auto& pattern : patterns_) {
        if (pattern.is_exact() && !pattern.is_exclusion) continue;
        SelectedTables::Match match{pattern, {}};
        for (const auto& table : there)
            if (pattern.matches(table.name)) match.tables.push_back(table.name);
        if (match.tables.empty())
            return refuse("source.tables has an entry that matches no table: " + pattern.text,
                          "Correct it, or remove it.");
        if (!pattern.is_exclusion)
            wanted.insert(wanted.end(), match.tables.begin(), match.tables.end());
        selected.matches.push_back(std::move(match));
    }
    for (const auto& table : wanted) {
        const bool is_known = std::find(selected.tables.begin(), selected.tables.end(), table) !=
                              selected.tables.end();
        if (!excludes(table) && !is_known) selected.tables.push_back(table);
    }
    TRY(leave_out_partitions(selected, there));
    if (selected.tables.empty())
        return refuse("source.tables leaves no table", "Remove one of its exclusions.");
    return selected;
}

}  // namespace leat::postgres
