// SQL from changes; see postgres_statements.hpp.
#include "simulate/postgres_statements.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "simulate/postgres_text.hpp"
#include "source/postgres/client.hpp"

namespace leat::simulate {

namespace {

auto column(const Table& table, std::string_view name) -> const Column& {
    const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const Column& each) { return each.name == name; });
    return found == table.columns.end() ? table.columns.front() : *found;
}

auto field(const Document& row, std::string_view name) -> const Value* {
    const auto found =
        std::find_if(row.begin(), row.end(), [&](const Field& each) { return each.name == name; });
    return found == row.end() ? nullptr : &found->value;
}

// The values of a whole row in the order of the columns; a missing one is NULL.
auto row_values(const Change& row, const Table& table) -> std::vector<std::optional<std::string>> {
    std::vector<std::optional<std::string>> values = {
        postgres_text(row.key, table.columns.front().type)};
    for (std::size_t i = 1; i < table.columns.size(); ++i) {
        const auto* const found = field(row.values, table.columns[i].name);
        values.push_back(found == nullptr ? std::nullopt
                                          : postgres_text(*found, table.columns[i].type));
    }
    return values;
}

auto insert_statement(const Change& change, const Table& table) -> Statement {
    std::string places;
    for (std::size_t i = 1; i <= table.columns.size(); ++i)
        places += fmt::format("{}${}", i == 1 ? "" : ", ", i);
    return {fmt::format("INSERT INTO {} VALUES ({})", sql_name(table), places),
            row_values(change, table)};
}

auto update_statement(const Change& change, const Table& table) -> Statement {
    Statement made{"UPDATE " + sql_name(table) + " SET ", {}};
    made.values.push_back(postgres_text(change.key, table.columns.front().type));
    for (const auto& [name, value] : change.values) {
        made.sql += fmt::format("{}{} = ${}", made.values.size() == 1 ? "" : ", ",
                                postgres::quote_name(name), made.values.size() + 1);
        made.values.push_back(postgres_text(value, column(table, name).type));
    }
    made.sql += " WHERE id = $1";
    return made;
}

auto escaped(std::string_view text) -> std::string {
    std::string line;
    for (const char c : text) {
        if (c == '\\') line += "\\\\";
        else if (c == '\t') line += "\\t";
        else if (c == '\n') line += "\\n";
        else if (c == '\r') line += "\\r";
        else line += c;
    }
    return line;
}

}  // namespace

auto sql_name(const Table& table) -> std::string {
    return postgres::quote_name(table.schema) + "." + postgres::quote_name(table.name);
}

auto create_statement(const Table& table) -> std::string {
    if (!table.create.empty()) return table.create;
    std::string columns;
    for (const auto& [name, type] : table.columns)
        columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", postgres::quote_name(name),
                               postgres_type(type) + (columns.empty() ? " PRIMARY KEY" : ""));
    return fmt::format("CREATE TABLE {} ({})", sql_name(table), columns);
}

auto statement_of(const Change& change, const Table& table) -> Statement {
    if (change.kind == Kind::insert) return insert_statement(change, table);
    if (change.kind == Kind::remove)
        return {"DELETE FROM " + sql_name(table) + " WHERE id = $1",
                {postgres_text(change.key, table.columns.front().type)}};
    return update_statement(change, table);
}

auto copy_statement(const Table& table) -> std::string {
    return "COPY " + sql_name(table) + " FROM STDIN";
}

auto copy_line(const Change& row, const Table& table) -> std::string {
    std::string line;
    for (const auto& value : row_values(row, table)) {
        if (!line.empty()) line += '\t';
        line += value ? escaped(*value) : "\\N";
    }
    return line + "\n";
}

}  // namespace leat::simulate
