// PostgresSource in flow: frames out, confirmations in, and where the head is.
#include <algorithm>

#include "source/postgres/postgres_source.hpp"

namespace leat::postgres {

namespace {

constexpr Duration position_interval = std::chrono::seconds(1);
constexpr std::size_t busy_bytes = 16U << 10U;
constexpr int busy_lingers = 5;

}  // namespace

auto PostgresSource::read(const std::stop_token& stop) -> Result<Frame> {
    TRY(watch_membership(stop));
    while (true) {
        if (auto frame = decoder_->take()) {
            last_commit_ = frame->last.commit;
            decoder_->forget_partial_before(frame->first.commit);
            gathering_since_.reset();
            frame->passed_over = decoder_->take_passed_over();
            return *std::move(frame);
        }
        if (TRY(decoder_->advance())) continue;
        if (!decoder_->has_whole()) {
            if (auto frame = idle_frame()) return *std::move(frame);
        } else if (!gathering_since_) {
            gathering_since_ = context_.clock->steady();
        }
        const auto wait = patience();
        if (auto chunk = TRY(receiver_->next(stop, wait))) {
            decoder_->feed(*std::move(chunk));
        } else if (stop.stop_requested()) {
            return Error{Fault::retry, "stopped", "", "postgres"};
        } else if (gathering_since_ && patience() == Duration::zero()) {
            TRY(decoder_->close_frame());
            gathering_since_.reset();
        }
    }
}

// How long to wait for more before something has to be done.
auto PostgresSource::patience() const -> Duration {
    const auto now = context_.clock->steady();
    const auto since = gathering_since_.value_or(now);
    auto limit = gathering_since_ ? Duration(config_.linger) : position_interval;
    // A busy stream: fewer, larger frames are worth a few milliseconds.
    if (gathering_since_ && decoder_->gathered_bytes() >= busy_bytes) limit *= busy_lingers;
    return std::max(Duration::zero(), since + limit - now);
}

// Nothing is open and the server has told more than rows: a position of its own, so that a quiet
// publication still lets the server forget its log.
auto PostgresSource::idle_frame() -> std::optional<Frame> {
    const auto told = decoder_->told();
    if (told.value <= last_commit_) return std::nullopt;
    const auto now = context_.clock->steady();
    const auto head = head_.load();
    const bool reaches_head = last_commit_ < head && told.value >= head;
    if (!reaches_head && now - position_told_at_ < position_interval) return std::nullopt;
    position_told_at_ = now;
    last_commit_ = told.value;
    Frame frame;
    frame.kind = FrameKind::position;
    frame.first = frame.last = position_at(told);
    frame.commit_time_us = context_.clock->wall_us();
    frame.passed_over = decoder_->take_passed_over();
    return frame;
}

auto PostgresSource::may_be_partial(const TableName& name) const -> bool {
    const auto table = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const auto& one) { return one.name == name; });
    return table != tables_.end() && table->replica_identity != 'f';
}

// Only values of variable length are stored out of line.
auto PostgresSource::may_lack(const Column& column) const -> bool {
    switch (column.type->id()) {
        case arrow::Type::STRING:
        case arrow::Type::BINARY:
        case arrow::Type::DECIMAL128:
        case arrow::Type::LIST: return true;
        default: return false;
    }
}

auto PostgresSource::must_be_whole(const TableName& /*name*/) const -> bool {
    return config_.on_schema_change == OnSchemaChange::discard_row;
}

auto PostgresSource::complete(const Batch& batch, const std::stop_token& stop)
    -> Result<Completed> {
    const auto table = std::find_if(tables_.begin(), tables_.end(), [&](const auto& one) {
        return one.name == batch.schema->name;
    });
    if (table == tables_.end()) return Completed{batch};
    std::vector<std::uint32_t> xids;
    for (const auto& [commit, xid] : decoder_->partial_commits()) xids.push_back(xid);
    if (!lookup_) lookup_.emplace(options("lookup"));
    return lookup_->complete(batch, *table, xids, stop);
}

auto PostgresSource::confirm(const Durable& durable) -> Result<void> {
    const auto& position = durable.position();
    if (receiver_ && position.lineage == lineage_.load()) receiver_->confirm(Lsn{position.commit});
    return {};
}

// Commits that are visible may not be flushed yet (synchronous_commit = off), and the server sends
// flushed log only: then something that is flushed at once is written behind them.
auto PostgresSource::head() -> Result<Position> {
    auto sql = TRY(Connection::connect(options("head")));
    const auto rows =
        TRY(sql.query("SELECT pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn()"));
    const auto head = TRY(parse_lsn(rows.text(0, 0)));
    if (TRY(parse_lsn(rows.text(0, 1))) < head)
        TRY(
            sql.query("BEGIN; SET LOCAL synchronous_commit = local; "
                      "SELECT pg_logical_emit_message(false, 'leat', ''), txid_current(); COMMIT"));
    auto known = head_.load();
    while (known < head.value && !head_.compare_exchange_weak(known, head.value)) {
    }
    return position_at(head);
}

}  // namespace leat::postgres
