// TableName: what the source calls a table.
#pragma once

#include <compare>
#include <string>

namespace leat {

struct TableName {
    std::string schema;  // "public"
    std::string table;

    friend auto operator==(const TableName&, const TableName&) -> bool = default;
    friend auto operator<=>(const TableName&, const TableName&) = default;
};

// "schema.table", for messages.
auto to_string(const TableName& name) -> std::string;
// The target's table name: "table" for schema public, else "schema_table".
auto target_name(const TableName& name) -> std::string;

}  // namespace leat
