// The SQL of each change: one statement with places for values, and the values. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulate/change.hpp"
#include "simulate/data_set.hpp"

namespace leat::simulate {

struct Statement {
    std::string sql;  // the same for changes of one shape, so that it can be prepared
    std::vector<std::optional<std::string>> values;  // $1, $2, …; nothing: NULL
};

// `"public"."orders"`.
auto sql_name(const Table& table) -> std::string;

auto create_statement(const Table& table) -> std::string;
auto statement_of(const Change& change, const Table& table) -> Statement;
// COPY of whole rows, and one line of it.
auto copy_statement(const Table& table) -> std::string;
auto copy_line(const Change& row, const Table& table) -> std::string;

}  // namespace leat::simulate
