// Writes the net effect of a run into its table: complete the partial rows, empty, delete, insert.
#pragma once

#include <arrow/type_fwd.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/collapse.hpp"
#include "change/net_effect_rows.hpp"
#include "sink/duckdb/appender.hpp"
#include "sink/duckdb/client.hpp"
#include "sink/duckdb/schema.hpp"

namespace leat::duckdb {

// For one table within one transaction; borrows connection and table.
class NetEffectWriter {
public:
    NetEffectWriter(Connection& connection, const TargetTable& table);

    auto apply(const Batch& run, const NetEffect& effect) -> Result<void>;

    // Into the table itself. in_table_order(): the columns of `rows`, of which the table's begin at
    // `first`, as the table has them; null pointers for those that the source dropped.
    auto appender() -> Result<Appender>;
    [[nodiscard]] auto in_table_order(const arrow::RecordBatch& rows, int first) const
        -> std::vector<const arrow::Array*>;

private:
    auto remove_keys(const Batch& run, const NetEffect& effect) -> Result<void>;
    auto remove_counted(const Batch& run, const NetEffect& effect) -> Result<void>;
    auto complete_patches(const PatchRows& patches, std::size_t optional) -> Result<void>;
    auto complete(const PatchRows& patches, std::int64_t from, std::int64_t count)
        -> Result<std::int64_t>;
    [[nodiscard]] auto completion_sql(const PatchRows& patches) const -> std::string;
    [[nodiscard]] auto column(int index) const -> const Column&;

    Connection& connection_;
    const TargetTable& table_;
    std::string target_;       // quoted, with its schema
    std::vector<int> places_;  // per column of the table: index in the schema, -1: dropped
};

}  // namespace leat::duckdb
