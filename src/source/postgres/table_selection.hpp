// Which tables `source.tables` means: names and patterns, resolved against the catalog at every
// open and check.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/schema.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

// One entry. `*` stands for any letters within the schema's or the table's part.
struct TablePattern {
    std::string text;  // as the user wrote it
    TableName name;
    bool is_exclusion = false;

    [[nodiscard]] auto is_exact() const -> bool;
    [[nodiscard]] auto matches(const TableName& table) const -> bool;
};

// "public.*", "!public.audit", "orders": schema public where none is named.
auto parse_pattern(std::string_view text) -> TablePattern;

// A table that can be captured, and the partitioned tables that it is a part of.
struct CapturableTable {
    TableName name;
    std::vector<TableName> ancestors{};
};

struct SelectedTables {
    std::vector<TableName> tables;  // names as they were written, then what patterns found
    // What each pattern and exclusion matched.
    struct Match {
        TablePattern pattern;
        std::vector<TableName> tables;
    };
    std::vector<Match> matches;
};

class TableSelection {
public:
    // Refuses (config) an empty list, a name twice, an entry without a name.
    static auto make(const std::vector<std::string>& entries) -> Result<TableSelection>;

    // Patterns find tables that can be captured, outside of the system's schemas; not the partitions
    // of a table that is captured or excluded. What is excluded loses, wherever it stands. Refuses
    // (config) a partition by name beside its table, and a pattern or exclusion that matches nothing: it is
    // more likely misspelt than meant.
    [[nodiscard]] auto resolve(Connection& connection) const -> Result<SelectedTables>;
    // The same over the tables that are there.
    [[nodiscard]] auto choose(const std::vector<CapturableTable>& there) const
        -> Result<SelectedTables>;

private:
    [[nodiscard]] auto excludes(const TableName& table) const -> bool;
    [[nodiscard]] auto names(const TableName& table) const -> bool;
    auto leave_out_partitions(SelectedTables& selected,
                              const std::vector<CapturableTable>& there) const -> Result<void>;

    std::vector<TablePattern> patterns_;
};

}  // namespace leat::postgres
