// The Sink and Queryable faces of the DuckDB connector; the parts do the work.
#include "sink/duckdb/duckdb_sink.hpp"

#include <arrow/record_batch.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/check.hpp"
#include "base/failpoint.hpp"
#include "sink/duckdb/apply.hpp"
#include "sink/duckdb/copy.hpp"
#include "sink/duckdb/reject.hpp"

namespace leat {

namespace {

using duckdb::literal;
using duckdb::Setting;

// Transactions checkpoint by our policy only.
constexpr auto never = "1000TB";
// A quarter of DuckDB's own, which costs nothing measurable; a multiple of its vector size.
constexpr std::uint64_t row_group_rows = 30'720;

auto settings(const DuckDbConfig& config, const SinkContext& context) -> std::vector<Setting> {
    return {
        {"threads", std::to_string(config.threads)},
        {"memory_limit", std::to_string(config.memory_limit.count / 1024) + "KiB"},
        {"temp_directory", (context.work_dir / "duckdb_spill").string()},
        {"checkpoint_threshold", never},
        // A transaction's full row groups leave memory one by one, not in bulk.
        {"write_buffer_row_group_count", "1"},
        // Row groups that deletes have thinned out are put together a few at each checkpoint, or all
        // of a table would become due in one.
        {"max_vacuum_tasks", "4"},
        // Plans fold the statistics of a table into constants and outlive its next change.
        {"disabled_optimizers", "statistics_propagation"},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
    };
}

// Two handles within one process would share its locks and write over each other. Asked of the
// kernel without opening the file, because closing it would give up those locks.
auto is_open_here(const std::filesystem::path& path) -> bool {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return false;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
        struct stat open_file {};
        if (::stat(entry.path().c_str(), &open_file) == 0 && open_file.st_dev == file.st_dev &&
            open_file.st_ino == file.st_ino)
            return true;
    }
    return false;
}

// Every other file stays out of reach of SQL.
auto allow_files(const CopyConfig& copy) -> std::string {
    std::string list;
    for (const auto& file : duckdb::copy_files(std::filesystem::absolute(copy.path)))
        list += (list.empty() ? "" : ", ") + literal(file.string());
    return "SET allowed_paths = [" + list + "]";
}

auto other(const char* what, const std::string& stored, const std::string& mine,
           const std::filesystem::path& path) -> Error {
    return {Fault::config,
            "duckdb file belongs to another " + std::string(what) + ": " + stored + ", not " + mine,
            "Name another file for this sink, or remove this one to fill it anew.", path.string(),
            Code::duckdb_foreign};
}

}  // namespace

auto DuckDbSink::make(const DuckDbConfig& config, const SinkContext& context)
    -> Result<std::unique_ptr<Sink>> {
    CHECK(context.clock != nullptr);
    if (config.copy && std::filesystem::absolute(config.copy->path).lexically_normal() ==
                           std::filesystem::absolute(config.path).lexically_normal())
        return Error{Fault::config, "copy has the path of the database itself",
                     "Name another path in copy.path.", config.path.string(), Code::duckdb_path};
    return std::unique_ptr<Sink>(new DuckDbSink(config, context));
}

DuckDbSink::DuckDbSink(DuckDbConfig config, SinkContext context)
    : config_(std::move(config)),
      context_(std::move(context)),
      queries_(config_.queries_max),
      checkpoints_(config_.path, config_.wal_bytes_max.count, *context_.clock),
      stage_(context_.work_dir, config_.stage_bytes_max.count) {}

DuckDbSink::~DuckDbSink() {
    close_database();
}

auto DuckDbSink::close_database() -> void {
    queries_.close();
    connection_.reset();
    database_.reset();
}

auto DuckDbSink::open_database() -> Result<void> {
    if (is_open_here(config_.path))
        return Error{
            Fault::config,
            "duckdb file is in use by another sink of this process: " + config_.path.string(),
            "Name another path for one of them.", config_.path.string(),
            Code::duckdb_in_use};
    // What a killed process has left.
    std::error_code ignored;
    if (duckdb::is_unborn_file(config_.path.string()))
        std::filesystem::remove(config_.path, ignored);
    std::filesystem::remove_all(context_.work_dir / "duckdb_spill", ignored);
    database_.emplace(TRY(duckdb::Database::attach(config_.path.string(), row_group_rows,
                                                   settings(config_, context_))));
    connection_.emplace(TRY(database_->connect()));
    if (config_.copy) TRY(connection_->execute(allow_files(*config_.copy)));
    TRY(
        connection_->execute("PRAGMA disable_checkpoint_on_shutdown; SET GLOBAL TimeZone = 'UTC'; "
                             "SET enable_external_access = false; "
                             "SET lock_configuration = true"));
    TRY(duckdb::make_catalog(*connection_));
    is_doubtful_ = false;
    return {};
}

// After an error: whether the database still answers, without the open transaction.
auto DuckDbSink::is_usable() -> bool {
    if (!connection_ || is_doubtful_) return false;
    // Fails where no transaction is open, which is as good.
    const auto rolled_back = connection_->execute("ROLLBACK");
    static_cast<void>(rolled_back);
    return connection_->execute("SELECT count(*) FROM main._leat_progress").has_value();
}

auto DuckDbSink::open(const Identity& identity) -> Result<std::optional<Progress>> {
    stage_.clear();
    tables_.clear();
    adopting_.clear();
    if (!is_usable()) {
        close_database();
        TRY(open_database());
    }
    identity_ = identity;
    auto progress = TRY(read_progress(identity));
    tables_ = TRY(duckdb::load_tables(*connection_));
    checkpoints_.opened(progress ? std::optional(progress->offsets) : std::nullopt);
    queries_.open(*database_);
    return progress;
}

auto DuckDbSink::read_progress(const Identity& identity) -> Result<std::optional<Progress>> {
    const auto rows =
        TRY(connection_->rows("SELECT pipeline, lane, queue_id, incarnation::VARCHAR, progress "
                              "FROM main._leat_progress"));
    if (rows.empty()) return std::optional<Progress>();
    const auto text = [&](std::size_t i) { return rows.front().at(i).value_or(""); };
    if (text(0) != identity.pipeline)
        return other("pipeline", text(0), identity.pipeline, config_.path);
    if (text(1) != identity.lane) return other("sink", text(1), identity.lane, config_.path);
    if (text(2) != identity.queue_id)
        return Error{
            Fault::config,
            "duckdb file was filled from another log, one that was dropped or is elsewhere: " +
                text(2) + ", not " + identity.queue_id,
            "Move the file away to have it filled anew, or put the old log back.",
            config_.path.string(), Code::duckdb_foreign};
    const auto incarnation = std::stoull(text(3));
    if (incarnation > identity.incarnation)
        return Error{Fault::config,
                     "duckdb file was written by a newer incarnation: " + text(3) + ", this is " +
                         std::to_string(identity.incarnation),
                     "Stop this process: another one has taken over the pipeline.",
                     config_.path.string(), Code::duckdb_superseded};
    return std::optional(TRY(decode_progress(text(4))));
}

auto DuckDbSink::store_progress(const Progress& progress) -> Result<void> {
    TRY(connection_->execute(
        "DELETE FROM main._leat_progress; INSERT INTO main._leat_progress VALUES (" +
        literal(identity_.pipeline) + ", " + literal(identity_.lane) + ", " +
        literal(identity_.queue_id) + ", " + std::to_string(progress.incarnation) + ", " +
        literal(encode(progress)) + ")"));
    return {};
}

auto DuckDbSink::refuse_name_clash(const TableName& name) const -> Result<void> {
    const auto target = duckdb::folded(target_name(name));
    for (const auto& [copy, table] : tables_)
        if (copy.table != name && duckdb::folded(target_name(copy.table)) == target)
            return Error{Fault::config,
                         "two source tables have one name in duckdb: " + to_string(copy.table) +
                             " and " + to_string(name),
                         "Capture one of them by another pipeline.", to_string(name),
                         Code::duckdb_table_taken};
    return {};
}

auto DuckDbSink::evolve(const SchemaPtr& schema) -> Result<void> {
    TRY(duckdb::check_schema(*schema));
    auto* const copy = duckdb::find_copy(tables_, *schema);
    if (copy == nullptr) return add_copy(schema);
    // Rows of an earlier version than the table has become are adapted when they are applied.
    if (schema->version < copy->wanted->version)
        return duckdb::check_change(*schema, *copy->wanted);
    TRY(duckdb::check_change(*copy->wanted, *schema));
    if (copy->wanted->version < schema->version)
        copy->wanted = TRY(duckdb::successor(*copy->wanted, *schema));
    return {};
}

auto DuckDbSink::add_copy(const SchemaPtr& schema) -> Result<void> {
    TRY(refuse_name_clash(schema->name));
    const bool has_live = tables_.contains({schema->name, true});
    const bool is_live = schema->generation == 0;
    auto& copy = tables_[{schema->name, is_live}];
    // One that was filled for another generation makes way.
    if (copy.name.empty())
        copy.name = has_live ? duckdb::aside_name(schema->name) : target_name(schema->name);
    copy.wanted = schema;
    copy.is_live = is_live;
    return {};
}

auto DuckDbSink::adopt(Generation generation, const TableFilter& wanted) -> Result<void> {
    CHECK(stage_.size() == 0);
    for (const auto& [copy, table] : tables_)
        if (!copy.is_live && table.wanted->generation == generation && wanted(copy.table))
            adopting_.push_back(copy.table);
    return {};
}

auto DuckDbSink::write(const Batch& batch) -> Result<Rejects> {
    CHECK(duckdb::find_copy(tables_, *batch.schema) != nullptr);
    auto rejects = duckdb::judge_batch(batch);
    if (rejects.empty()) TRY(stage_.add(batch));
    return rejects;
}

// DDL of all tables, then the rows table by table: within one transaction only the order of each
// table's own rows can be seen.
auto DuckDbSink::apply_epoch() -> Result<void> {
    std::vector<std::pair<duckdb::TargetTable*, SchemaPtr>> altered;
    for (auto& [name, table] : tables_) {
        if (table.wanted == table.applied) continue;
        altered.emplace_back(&table, table.applied);
        const auto from = table.applied;
        TRY(duckdb::alter(*connection_, table));
        if (from && from->generation == table.applied->generation &&
            duckdb::converts_by_functions(*from, *table.applied))
            must_checkpoint_ = true;
    }
    for (const auto& [table, from] : altered) TRY(duckdb::backfill(*connection_, *table, from));
    for (const auto& table : std::exchange(adopting_, {}))
        TRY(duckdb::make_live(*connection_, tables_, table));
    if (!altered.empty()) failpoint("duckdb.evolve");
    std::map<duckdb::TargetTable*, std::vector<std::size_t>> entries;
    for (std::size_t i = 0; i < stage_.size(); ++i)
        entries[duckdb::find_copy(tables_, *stage_.schema(i))].push_back(i);
    // Nothing is left of a copy that made way for another generation's.
    entries.erase(nullptr);
    for (const auto& [copy, indices] : entries)
        TRY(duckdb::apply_rows(*connection_, *copy, stage_, indices));
    failpoint("duckdb.staged");
    return {};
}

auto DuckDbSink::commit(const Progress& progress) -> Result<void> {
    TRY(connection_->execute("BEGIN TRANSACTION"));
    TRY(apply_epoch());
    TRY(store_progress(progress));
    failpoint("duckdb.before_commit");
    if (const auto done = connection_->execute("COMMIT"); !done) {
        is_doubtful_ = true;
        auto error = done.error();
        error.fault = Fault::uncertain;
        error.what = "commit: " + error.what;
        return error;
    }
    failpoint("duckdb.after_commit");
    stage_.clear();
    checkpoints_.committed(progress.offsets);
    return {};
}

auto DuckDbSink::checkpoint(bool insist) -> Result<void> {
    auto done = checkpoints_.run(*connection_);
    if (done && !*done && insist) {
        queries_.close();
        done = checkpoints_.run(*connection_);
        queries_.open(*database_);
    }
    if (done) return {};
    // A checkpoint that failed half-way (a full disk) leaves a handle that must not be trusted.
    is_doubtful_ = true;
    return done.error();
}

auto DuckDbSink::settle(Rest rest) -> Result<std::optional<Offsets>> {
    // So that anybody can open the file, were this process killed.
    const bool insist = std::exchange(must_checkpoint_, false) || rest == Rest::last;
    if (insist || checkpoints_.is_due(rest)) TRY(checkpoint(insist));
    return checkpoints_.safe();
}

auto DuckDbSink::query(const std::string& sql, std::size_t rows_max) -> Result<QueryResult> {
    return queries_.run(sql, rows_max);
}

auto DuckDbSink::query_arrow(const std::string& sql, std::size_t rows_max) -> Result<QueryStream> {
    return queries_.run_arrow(sql, rows_max);
}

auto DuckDbSink::copy_every() const -> Duration {
    return config_.copy ? Duration(config_.copy->every) : Duration::zero();
}

auto DuckDbSink::copy(const std::stop_token& stop) -> Result<void> {
    return queries_.run_copy(std::filesystem::absolute(config_.copy->path), stop);
}

}  // namespace leat
