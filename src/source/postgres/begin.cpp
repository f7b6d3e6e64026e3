// PostgresSource as Snapshots: from the slot's making to the last chunk.
#include <utility>

#include "base/check.hpp"
#include "observe/log.hpp"
#include "source/postgres/postgres_source.hpp"

namespace leat::postgres {

namespace {

// What slot creation waits for: transactions that wrote something before it began.
auto describe_wait(Connection& sql) -> std::string {
    const auto rows = sql.query(
        "SELECT 'transaction of pid ' || pid || ', open since ' || xact_start::timestamp(0) || "
        "' UTC (' || coalesce(nullif(application_name, ''), 'no name') || ', ' || state || ')' "
        "FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() "
        "UNION ALL SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts LIMIT 1");
    if (!rows || rows->count() == 0) return "a running transaction";
    return std::string(rows->text(0, 0));
}

}  // namespace

auto PostgresSource::begin(const SnapshotRequest& request) -> Result<Position> {
    CHECK(replication_.has_value());
    TRY(make_way_for_slot(request));
    const auto created = TRY(create_slot_patiently(request.stop));
    ImageOptions imaging;
    imaging.sql = options("snapshot");
    imaging.tables = names_;
    imaging.snapshot = created.snapshot;
    imaging.layout = {config_.insert_only, request.generation};
    imaging.text_columns_file = context_.work_dir / "text_columns";
    images_ = TRY(TableImages::make(std::move(imaging), request.stop));
    tables_ = images_->tables();
    point_ = {request.lineage, created.point.value, 0, token_};
    std::vector<SchemaPtr> schemas;
    for (const auto& layout : images_->layouts()) schemas.push_back(layout.schema);
    TRY(start(point_, std::move(schemas)));
    return point_;
}

auto PostgresSource::make_way_for_slot(const SnapshotRequest& request) -> Result<void> {
    auto sql = TRY(Connection::connect(options("check")));
    const auto slot = TRY(find_slot(sql, slot_));
    if (!slot) return {};
    if (request.retake) return drop_slot(sql, slot_);
    return Error{Fault::config, "replication slot exists already and is not this pipeline's: " + slot_,
                 "Choose another name in source.slot, or, if nobody uses it: SELECT "
                 "pg_drop_replication_slot(" + quote_text(slot_) + ");",
                 "postgres slot", Code::pg_slot_foreign};
}

auto PostgresSource::create_slot_patiently(const std::stop_token& stop) -> Result<CreatedSlot> {
    std::optional<Connection> sql;
    int seconds = 0;
    const auto tell = [&] {
        constexpr int tell_every = 5;
        if (++seconds % tell_every != 0) return;
        if (!sql) {
            auto made = Connection::connect(options("check"));
            if (made) sql = std::move(made).value();
        }
        if (sql)
            log(LogLevel::info, "source: the replication slot waits for the end of: {}",
                describe_wait(*sql));
    };
    return create_slot(*replication_, slot_, stop, tell);
}

auto PostgresSource::chunks() -> Result<std::vector<Chunk>> {
    CHECK(images_ != nullptr);
    return images_->chunks();
}

auto PostgresSource::read_chunk(const Chunk& chunk, std::size_t worker,
                                const BatchReceiver& receive, const std::stop_token& stop)
    -> Result<void> {
    return images_->read(chunk, point_.commit, worker, receive, stop);
}

auto PostgresSource::end() -> Result<Position> {
    const auto images = std::exchange(images_, nullptr);
    CHECK(images != nullptr);
    TRY(images->finish());
    return point_;
}

}  // namespace leat::postgres
