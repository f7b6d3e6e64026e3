// Which tables a list of names, patterns and exclusions means, for every source that has one. Pure;
// the source says which tables there are.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "change/table_name.hpp"

namespace leat {

// One entry. `*` stands for any letters within the schema's or the table's part.
struct TablePattern {
    std::string text;  // as the user wrote it
    TableName name;
    bool is_exclusion = false;

    [[nodiscard]] auto is_exact() const -> bool;
    [[nodiscard]] auto matches(const TableName& table) const -> bool;
};

// How a source calls things in its options and errors, and how it reads a name.
struct SelectionTerms {
    std::string list = "source.tables";
    std::string form = "schema.table";
    std::string kind = "table";
    std::string context;
    Code code = Code::none;
    std::function<TableName(std::string_view)> parse;
    bool may_lack_schema = false;
};

// A table that can be captured, and the partitioned tables that it is a part of.
struct SelectableTable {
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

// "public.o* matches public.orders", for people.
auto describe(const SelectedTables::Match& match) -> std::string;

class TableSelection {
public:
    // Refuses (config) an empty list, a name twice, an entry without a name.
    static auto make(const std::vector<std::string>& entries, SelectionTerms terms)
        -> Result<TableSelection>;

    // Names stand as they are written, whether there is such a table or not; patterns find those
    // that are there, but not the partitions of a table that is captured or excluded. What is
    // excluded loses, wherever it stands. Refuses (config) a partition by name beside its table,
    // and a pattern or exclusion that matches nothing: it is more likely misspelt than meant.
    [[nodiscard]] auto choose(const std::vector<SelectableTable>& there) const
        -> Result<SelectedTables>;

    // Refuses (config) tables whose names are one in the sinks, which have no regard to case.
    [[nodiscard]] auto refuse_name_clash(const std::vector<TableName>& names) const -> Result<void>;

    // Whether an entry is just this name.
    [[nodiscard]] auto names(const TableName& table) const -> bool;
    [[nodiscard]] auto patterns() const -> const std::vector<TablePattern>& { return patterns_; }

private:
    explicit TableSelection(SelectionTerms terms) : terms_(std::move(terms)) {}
    [[nodiscard]] auto parse(std::string_view text) const -> TablePattern;
    [[nodiscard]] auto refuse(const std::string& what, const std::string& hint) const -> Error;
    [[nodiscard]] auto excludes(const TableName& table) const -> bool;
    auto leave_out_partitions(SelectedTables& selected,
                              const std::vector<SelectableTable>& there) const -> Result<void>;

    SelectionTerms terms_;
    std::vector<TablePattern> patterns_;
};

}  // namespace leat
