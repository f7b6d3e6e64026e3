// TableSchema: names, comparison, identity. The Arrow form is in schema_arrow.cpp.
#include "change/schema.hpp"

#include <arrow/type.h>

#include <algorithm>
#include <numeric>

namespace leat {

auto to_string(const TableName& name) -> std::string {
    return name.schema.empty() ? name.table : name.schema + "." + name.table;
}

auto target_name(const TableName& name) -> std::string {
    const bool is_default = name.schema.empty() || name.schema == "public";
    return is_default ? name.table : name.schema + "_" + name.table;
}

auto TableSchema::column_index(std::string_view column) const -> int {
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (columns[i].name == column) return static_cast<int>(i);
    return -1;
}

auto TableSchema::is_key(int column) const -> bool {
    return std::find(key.begin(), key.end(), column) != key.end();
}

auto identity_columns(const TableSchema& schema) -> std::vector<int> {
    if (schema.identity == RowIdentity::key) return schema.key;
    if (schema.identity == RowIdentity::append_only) return {};
    std::vector<int> all(schema.columns.size());
    std::iota(all.begin(), all.end(), 0);
    return all;
}

auto same_shape(const TableSchema& a, const TableSchema& b) -> bool {
    if (a.name != b.name || a.key != b.key || a.identity != b.identity ||
        a.columns.size() != b.columns.size())
        return false;
    return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(),
                      [](const Column& x, const Column& y) {
                          return x.name == y.name && x.id == y.id &&
                                 x.logical_type == y.logical_type &&
                                 x.source_type == y.source_type && x.type->Equals(*y.type);
                      });
}

}  // namespace leat
