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
    if (request.is_anew) TRY(begin_stream(request));
    else TRY(begin_image(request));
    return point_;
}

// The slot's own point: image and stream meet there.
auto PostgresSource::begin_stream(const SnapshotRequest& request) -> Result<void> {
    CHECK(replication_.has_value());
    TRY(make_way_for_slot(request));
    {
        // In a gap it may be the publication that is gone.
        auto sql = TRY(Connection::connect(options("check")));
        TRY(publish(sql, false));
        TRY(note_membership(TRY(ask_membership(sql, request.stop))));
    }
    const auto created =
        TRY(create_slot_patiently(*replication_, {slot_, false, config_.failover}, request.stop));
    TRY(take_images(request, created.snapshot));
    tables_ = images_->tables();
    point_ = {request.lineage, created.point.value, 0, token_};
    std::vector<SchemaPtr> schemas;
    for (const auto& layout : images_->layouts()) schemas.push_back(layout.schema);
    return start({point_, std::move(schemas)});
}

// The stream runs: a temporary slot gives a point of its own, and goes as soon as the snapshot is
// in other hands.
auto PostgresSource::begin_image(const SnapshotRequest& request) -> Result<void> {
    auto replication = TRY(Connection::connect(options("image", true)));
    constexpr std::size_t room_for_number = 40;
    const NewSlot slot{
        slot_.substr(0, room_for_number) + "_image_" + std::to_string(request.generation), true};
    const auto created = TRY(create_slot_patiently(replication, slot, request.stop));
    TRY(take_images(request, created.snapshot));
    point_ = {lineage_.load(), created.point.value, 0, token_};
    return {};
}

auto PostgresSource::take_images(const SnapshotRequest& request, std::string snapshot)
    -> Result<void> {
    ImageOptions imaging;
    imaging.sql = options("snapshot");
    imaging.tables.assign(request.tables.begin(), request.tables.end());
    imaging.excluded = excluded_;
    imaging.snapshot = std::move(snapshot);
    imaging.layout = {config_.insert_only, request.generation};
    imaging.text_columns_file = text_columns_file();
    images_ = TRY(TableImages::make(std::move(imaging), request.stop));
    return {};
}

auto PostgresSource::make_way_for_slot(const SnapshotRequest& request) -> Result<void> {
    auto sql = TRY(Connection::connect(options("check")));
    const auto slot = TRY(find_slot(sql, slot_));
    if (!slot) return {};
    if (request.is_retake) return drop_slot(sql, slot_);
    return Error{Fault::config,
                 "replication slot exists already and is not this pipeline's: " + slot_,
                 "Choose another name in source.slot, or, if nobody uses it: SELECT "
                 "pg_drop_replication_slot(" +
                     quote_text(slot_) + ");",
                 "postgres slot", Code::pg_slot_foreign};
}

auto PostgresSource::create_slot_patiently(Connection& replication, const NewSlot& slot,
                                           const std::stop_token& stop) -> Result<CreatedSlot> {
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
    return create_slot(replication, slot, stop, tell);
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
