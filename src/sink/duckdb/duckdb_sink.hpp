// DuckDbSink: keeps the tables of one DuckDB file equal to the source. Rows, schema changes and
// progress of an epoch are one transaction of that file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/finding.hpp"
#include "sink/duckdb/checkpoint.hpp"
#include "sink/duckdb/client.hpp"
#include "sink/duckdb/config.hpp"
#include "sink/duckdb/query.hpp"
#include "sink/duckdb/schema.hpp"
#include "sink/duckdb/stage.hpp"
#include "sink/sink.hpp"

namespace leat {

// One lane thread for Sink; query() from any thread. While it is open, nobody else (no other
// process, nor other code of this one) may open the database file: closing any descriptor of it
// gives up DuckDB's lock.
class DuckDbSink final : public Sink, public Queryable, public Copying, public Checkable {
public:
    static auto make(const DuckDbConfig& config, const SinkContext& context)
        -> Result<std::unique_ptr<Sink>>;
    ~DuckDbSink() override;

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override;
    auto evolve(const SchemaPtr& schema) -> Result<void> override;
    auto write(const Batch& batch) -> Result<Rejects> override;
    auto commit(const Progress& progress) -> Result<void> override;
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override;
    auto settle(Rest rest) -> Result<std::optional<Offsets>> override;

    auto query(const std::string& sql, std::size_t rows_max) -> Result<QueryResult> override;
    auto query_arrow(const std::string& sql, std::size_t rows_max) -> Result<QueryStream> override;

    [[nodiscard]] auto copy_every() const -> Duration override;
    auto copy(const std::stop_token& stop) -> Result<void> override;

    auto check() -> Result<std::vector<Finding>> override;

private:
    DuckDbSink(DuckDbConfig config, SinkContext context);

    auto open_database() -> Result<void>;
    auto close_database() -> void;
    [[nodiscard]] auto is_usable() -> bool;
    auto read_progress(const Identity& identity) -> Result<std::optional<Progress>>;
    auto store_progress(const Progress& progress) -> Result<void>;
    auto refuse_name_clash(const TableName& name) const -> Result<void>;
    auto add_copy(const SchemaPtr& schema) -> Result<void>;
    auto apply_epoch() -> Result<void>;
    // `insist`: queries that stand in the way are interrupted.
    auto checkpoint(bool insist) -> Result<void>;

    const DuckDbConfig config_;
    const SinkContext context_;
    Identity identity_;
    std::optional<duckdb::Database> database_;
    std::optional<duckdb::Connection> connection_;
    duckdb::QueryGate queries_;
    duckdb::Checkpoints checkpoints_;
    duckdb::Stage stage_;
    duckdb::Tables tables_;
    std::vector<TableName> adopting_;  // whose copies become the live ones with the next commit
    bool is_doubtful_ = false;  // a commit or checkpoint failed: only reopening tells what stands
    bool must_checkpoint_ = false;  // after this commit
};

}  // namespace leat
