// The DuckDB sink's way of applying rows: append, or stage, delete and append.
#include "sink/duckdb/apply.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <optional>
#include <string>

#include "change/collapse.hpp"
#include "format/widen/adapt.hpp"
#include "sink/duckdb/appender.hpp"
#include "sink/duckdb/net_effect.hpp"

namespace leat::duckdb {

namespace {

// A run is collapsed as a whole, so it is what bounds memory beside the stage; larger runs save
// passes over the table.
constexpr std::int64_t run_rows_max = 131'072;
constexpr std::size_t run_bytes_max = 16U << 20U;
// What an appender gathers outside of DuckDB's own memory limit.
constexpr std::size_t append_bytes_max = 16U << 20U;

class TableApply {
public:
    TableApply(Connection& connection, const TargetTable& table)
        : table_(table), writer_(connection, table) {}

    auto add(const Batch& batch, std::size_t bytes) -> Result<void> {
        auto rows = TRY(adapt(batch, table_.applied));
        if (run_.empty() && is_plain_append(rows)) return append(rows, bytes);
        run_rows_ += rows.rows->num_rows();
        run_bytes_ += bytes;
        run_.push_back(std::move(rows));
        if (run_rows_ >= run_rows_max || run_bytes_ >= run_bytes_max) return finish_run();
        return {};
    }

    auto finish() -> Result<void> {
        TRY(finish_run());
        return finish_append();
    }

private:
    auto append(const Batch& batch, std::size_t bytes) -> Result<void> {
        if (!appender_) appender_.emplace(TRY(writer_.appender()));
        const auto columns = writer_.in_table_order(*batch.rows, first_table_column);
        TRY(appender_->append(columns, batch.rows->num_rows()));
        append_bytes_ += bytes;
        if (append_bytes_ < append_bytes_max) return {};
        append_bytes_ = 0;
        return appender_->flush();
    }

    // What was appended must be in the table before a statement looks for it.
    auto finish_append() -> Result<void> {
        if (!appender_) return {};
        TRY(appender_->finish());
        appender_.reset();
        return {};
    }

    auto finish_run() -> Result<void> {
        if (run_.empty()) return {};
        TRY(finish_append());
        const auto run = TRY(join(std::move(run_)));
        run_.clear();
        run_rows_ = 0;
        run_bytes_ = 0;
        // DuckDB's checkpoint may lose the sign of a zero (constant and run-length compression), so
        // rows must be found without it.
        return writer_.apply(run, TRY(collapse(run, ZeroSign::ignore)));
    }

    const TargetTable& table_;
    NetEffectWriter writer_;
    std::optional<Appender> appender_;
    std::size_t append_bytes_ = 0;
    std::vector<Batch> run_;
    std::int64_t run_rows_ = 0;
    std::size_t run_bytes_ = 0;
};

}  // namespace

auto apply_rows(Connection& connection, const TargetTable& table, const Stage& stage,
                const std::vector<std::size_t>& entries) -> Result<void> {
    TableApply apply(connection, table);
    for (const auto entry : entries) TRY(apply.add(TRY(stage.read(entry)), stage.bytes(entry)));
    return apply.finish();
}

}  // namespace leat::duckdb
