// TableName: what the source calls a table.
#pragma once

#include <compare>
#include <string>

namespace leat {

struct TableName {
    std::string schema;  // "public"; empty: the source's own database, where that is left out
    std::string table;

    friend auto operator==(const TableName&, const TableName&) -> bool = default;
    friend auto operator<=>(const TableName&, const TableName&) = default;
};

// "schema.table", for messages; "table" without a schema.
auto to_string(const TableName& name) -> std::string;
// The target's table name: "table" for schema public or none, else "schema_table".
auto target_name(const TableName& name) -> std::string;

}  // namespace leat
