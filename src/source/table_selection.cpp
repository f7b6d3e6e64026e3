// Patterns over table names.
#include "source/table_selection.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace leat {

namespace {

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

auto TableSelection::refuse(const std::string& what, const std::string& hint) const -> Error {
    return Error{Fault::config, what, hint, terms_.context, terms_.code};
}

auto TableSelection::parse(std::string_view text) const -> TablePattern {
    TablePattern pattern;
    pattern.text = text;
    pattern.is_exclusion = text.starts_with('!');
    if (pattern.is_exclusion) text.remove_prefix(1);
    pattern.name = terms_.parse(text);
    return pattern;
}

auto TableSelection::make(const std::vector<std::string>& entries, SelectionTerms terms)
    -> Result<TableSelection> {
    TableSelection selection(std::move(terms));
    const auto& said = selection.terms_;
    std::set<TableName> names;
    for (const auto& entry : entries) {
        auto pattern = selection.parse(entry);
        const bool lacks_schema = pattern.name.schema.empty() && !said.may_lack_schema;
        if (lacks_schema || pattern.name.table.empty())
            return selection.refuse(said.list + " has an entry without a name: " + entry,
                                    "Write it as " + said.form + ".");
        if (!pattern.is_exclusion && !names.insert(pattern.name).second)
            return selection.refuse(
                said.list + " names a " + said.kind + " twice: " + to_string(pattern.name),
                "Remove one of them.");
        selection.patterns_.push_back(std::move(pattern));
    }
    if (names.empty())
        return selection.refuse(said.list + " is empty", "Name at least one " + said.kind + ".");
    return selection;
}

auto TableSelection::refuse_name_clash(const std::vector<TableName>& names) const -> Result<void> {
    std::map<std::string, TableName> targets;
    for (const auto& name : names) {
        auto target = target_name(name);
        for (char& c : target)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const auto [at, is_new] = targets.emplace(target, name);
        if (!is_new)
            return refuse(
                "two source " + terms_.kind + "s have one name in the sinks: " +
                    to_string(at->second) + " and " + to_string(name),
                "Leave one of them out of " + terms_.list + ", or capture it by another pipeline.");
    }
    return {};
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
                                          const std::vector<SelectableTable>& there) const
    -> Result<void> {
    std::set<TableName> all(selected.tables.begin(), selected.tables.end());
    const auto found = all;
    for (const auto& part : there) {
        const bool has_owner =
            std::any_of(part.ancestors.begin(), part.ancestors.end(),
                        [&](const auto& one) { return found.contains(one) || excludes(one); });
        if (!has_owner || names(part.name)) continue;
        all.erase(part.name);
        std::erase(selected.tables, part.name);
        for (auto& match : selected.matches)
            if (!match.pattern.is_exclusion) std::erase(match.tables, part.name);
    }
    for (const auto& part : there)
        for (const auto& owner : part.ancestors)
            if (all.contains(part.name) && all.contains(owner))
                return refuse(terms_.list + " has a partition beside its table: " +
                                  to_string(part.name) + " and " + to_string(owner),
                              "Remove the partition: its rows come with the table's. Or leave out "
                              "the table: !" +
                                  to_string(owner));
    return {};
}

auto TableSelection::choose(const std::vector<SelectableTable>& there) const
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
            return refuse(
                terms_.list + " has an entry that matches no " + terms_.kind + ": " + pattern.text,
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
        return refuse(terms_.list + " leaves no " + terms_.kind, "Remove one of its exclusions.");
    return selected;
}

auto describe(const SelectedTables::Match& match) -> std::string {
    std::string names;
    for (const auto& table : match.tables) names += (names.empty() ? "" : ", ") + to_string(table);
    return match.pattern.text + (match.pattern.is_exclusion ? " leaves out " : " matches ") + names;
}

}  // namespace leat
