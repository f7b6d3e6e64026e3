// Opening, appending, releasing.
#include "queue/log/log_queue.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "base/check.hpp"
#include "base/guarded.hpp"
#include "queue/log/lane_reader.hpp"
#include "queue/log/manifest.hpp"
#include "queue/log/preparer.hpp"
#include "queue/log/recovery.hpp"
#include "queue/log/retention.hpp"
#include "queue/log/sequence.hpp"

namespace leat::log_queue {

namespace {

constexpr Duration hint_interval = std::chrono::seconds(1);

auto system_random() -> std::uint64_t {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

auto make_uuid(const std::function<std::uint64_t()>& random) -> Uuid {
    Uuid uuid{};
    for (std::size_t half = 0; half < 2; ++half) {
        auto bits = random();
        for (std::size_t i = 0; i < 8; ++i, bits >>= 8)
            uuid[half * 8 + i] = static_cast<char>(bits & 0xff);
    }
    return uuid;
}

auto misused(std::string what) -> Error {
    return Error{Fault::fatal, "log refuses the frame: " + std::move(what), "", "log"};
}

auto unknown_lane(const std::string& lane) -> Error {
    return Error{Fault::fatal, "log does not know the lane: " + lane, "", "log"};
}

auto sequence_for(const Frame& frame) -> SequenceKind {
    if (frame.kind == FrameKind::snapshot) return SequenceKind::snapshot;
    if (!frame.marker) return SequenceKind::changes;
    const bool is_beside_changes =
        frame.marker->kind == MarkerKind::begin || frame.marker->kind == MarkerKind::left;
    return is_beside_changes ? SequenceKind::changes : SequenceKind::snapshot;
}

auto state_of(const GenerationRecord& record) -> GenerationState {
    GenerationState state;
    state.generation = record.generation;
    state.lineage = record.lineage;
    state.purpose = record.purpose;
    state.is_all = record.is_all;
    state.sinks = record.sinks;
    state.tables = record.tables;
    state.whole = record.whole;
    if (record.has_point) state.point = record.consistent_point;
    state.has_ended = record.has_ended;
    state.start.generation = record.generation;
    state.start.snapshot_offset = record.snapshot_offset;
    state.start.change_offset = record.begin_offset + 1;
    return state;
}

auto make_folder(const Path& path) -> Result<void> {
    auto failed = std::make_error_code(std::errc::interrupted);
    while (failed == std::errc::interrupted) std::filesystem::create_directories(path, failed);
    if (failed)
        return Error{Fault::config, "folder of the log cannot be made: " + failed.message(),
                     "Give this user a folder that it can write to.", path.string(),
                     Code::log_folder};
    return {};
}

// The log's identity, made on first use.
auto identify(Disk& disk, const Path& folder, const std::string& pipeline,
              const std::function<std::uint64_t()>& random) -> Result<Uuid> {
    if (const auto manifest = TRY(read_manifest(disk, folder))) {
        if (manifest->pipeline != pipeline)
            return Error{Fault::config, "log belongs to another pipeline: " + manifest->pipeline,
                         "Give this pipeline a folder of its own.", folder.string(),
                         Code::log_foreign};
        return manifest->log;
    }
    std::vector<std::string> names;
    if (const int failed = disk.list(folder, names); failed != 0)
        return disk_error("reading the folder of the log", folder, failed);
    for (const auto& name : names)
        if (parse_segment_name(name))
            return Error{
                Fault::fatal, "log manifest is missing beside segments",
                "Put log.json back from a copy, or run `leat drop FILE`, move the warehouse files "
                "away and start again.",
                folder.string(), Code::log_damaged};
    const Manifest manifest{make_uuid(random), pipeline, format_version};
    TRY(write_manifest(disk, folder, manifest));
    return manifest.log;
}

// A lane's reader, as long as the lane may read.
class HeldReader final : public LaneReader {
public:
    HeldReader(Log& log, std::string lane, std::unique_ptr<LaneReader> reader)
        : log_(log), lane_(std::move(lane)), reader_(std::move(reader)) {}
    auto next(const std::stop_token& stop, Duration wait)
        -> Result<std::optional<Delivery>> override {
        TRY(refuse_dropped(log_, lane_));
        auto delivery = reader_->next(stop, wait);
        // What it needed may have gone while it read: that is not damage.
        TRY(refuse_dropped(log_, lane_));
        return delivery;
    }

private:
    Log& log_;
    const std::string lane_;
    const std::unique_ptr<LaneReader> reader_;
};

}  // namespace

class LogQueue::Impl {
public:
    Impl(LogConfig config, const QueueContext& context, FolderLock folder_lock)
        : log(std::move(config), *context.clock),
          lock(std::move(folder_lock)),
          changes(log, SequenceKind::changes),
          snapshot(log, SequenceKind::snapshot) {
        log.folder_lock = &lock;
    }

    auto open(const QueueContext& context) -> Result<void>;
    auto recover_all() -> Result<Incarnation>;
    auto reopen_tails() -> Result<Incarnation>;
    auto check(const Frame& frame) -> Result<void>;
    auto encode(const Frame& frame) -> Result<Outgoing>;
    auto write_hints(bool durable) -> Result<void>;
    auto record_generation(const std::stop_token& stop) -> Result<void>;
    auto sequence_of(SequenceKind kind) -> Sequence& {
        return kind == SequenceKind::changes ? changes : snapshot;
    }

    Log log;
    FolderLock lock;
    Sequence changes;
    Sequence snapshot;
    std::mutex hints_mutex;
    std::optional<HintFile> hints;
    Duration hints_written{};
    RecoveryReport report;
    std::optional<Preparer> preparer;
};

LogQueue::LogQueue(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LogQueue::~LogQueue() {
    impl_->preparer.reset();
    // Nothing can be done about a failure any more, and nothing hangs on these: what was
    // acknowledged is durable.
    static_cast<void>(impl_->write_hints(true));
    static_cast<void>(impl_->changes.close());
    static_cast<void>(impl_->snapshot.close());
}

auto LogQueue::make(const LogConfig& config, const QueueContext& context)
    -> Result<std::unique_ptr<LogQueue>> {
    return make(config, context, {});
}

auto LogQueue::make(const LogConfig& config, const QueueContext& context, Surroundings surroundings)
    -> Result<std::unique_ptr<LogQueue>> {
    CHECK(context.clock != nullptr);
    auto options = config;
    options.segment_bytes.count = std::max(whole_pages(config.segment_bytes.count), 4 * page_bytes);
    if (options.max_bytes.count < 4 * options.segment_bytes.count)
        return Error{Fault::config, "max_bytes of the log is less than four segments",
                     "Raise max_bytes or lower segment_bytes.", config.path.string(),
                     Code::log_size};
    TRY(make_folder(config.path));
    auto lock = TRY(FolderLock::take(config.path));
    auto impl = std::make_unique<Impl>(std::move(options), context, std::move(lock));
    impl->log.disk = surroundings.disk != nullptr ? surroundings.disk : &system_disk();
    impl->log.random = surroundings.random ? surroundings.random : system_random;
    impl->log.uuid =
        TRY(identify(*impl->log.disk, config.path, context.pipeline, impl->log.random));
    TRY(impl->open(context));
    return std::unique_ptr<LogQueue>(new LogQueue(std::move(impl)));
}

auto LogQueue::Impl::open(const QueueContext& context) -> Result<void> {
    hints.emplace(*log.disk, log.config.path);
    const auto known = TRY(hints->read());
    const auto found = TRY(recover_all());
    for (const auto& lane : context.lanes) {
        auto& released = log.state.released[lane];
        if (known && known->released.contains(lane)) released = known->released.at(lane);
    }
    // Frames that were durable once and are not there now were not torn by a crash.
    if (known) {
        const auto& end = log.state.of(SequenceKind::changes).visible_end;
        const auto& image_end = log.state.of(SequenceKind::snapshot).visible_end;
        if (known->changes_end > end || known->snapshot_end > image_end)
            return damage(log.config.path.string(), 0,
                          "frames that were durable are gone: log ends at frame " +
                              std::to_string(end) + ", it held " +
                              std::to_string(known->changes_end));
    }
    log.incarnation = std::max(found, known ? known->incarnation : 0) + 1;
    TRY(write_hints(true));
    preparer.emplace(log);
    return {};
}

// Nothing else makes files meanwhile. A failed cut ends the log before anybody may sync again.
auto LogQueue::Impl::recover_all() -> Result<Incarnation> {
    const std::lock_guard files(log.files);
    {
        const std::lock_guard guard(log.mutex);
        if (log.state.broken) return *log.state.broken;
    }
    auto recovered = reopen_tails();
    if (recovered || recovered.error().fault == Fault::retry) return recovered;
    return log.break_down(std::move(recovered).error());
}

auto LogQueue::Impl::reopen_tails() -> Result<Incarnation> {
    TRY(changes.close());
    TRY(snapshot.close());
    auto recovered = TRY(recover(log));
    TRY(changes.open(std::move(recovered.tails[SequenceKind::changes])));
    TRY(snapshot.open(std::move(recovered.tails[SequenceKind::snapshot])));
    report = recovered.report;
    return recovered.incarnation;
}

auto LogQueue::Impl::write_hints(bool durable) -> Result<void> {
    Hints now;
    {
        const std::lock_guard guard(log.mutex);
        if (log.state.broken) return {};
        now.changes_end = log.state.of(SequenceKind::changes).visible_end;
        now.snapshot_end = log.state.of(SequenceKind::snapshot).visible_end;
        for (const auto& [lane, released] : log.state.released)
            if (released) now.released[lane] = *released;
    }
    now.incarnation = log.incarnation;
    const std::lock_guard guard(hints_mutex);
    const auto time = log.clock.steady();
    if (!durable && time - hints_written < hint_interval) return {};
    hints_written = time;
    auto written = lock.still_there(log.config.path);
    if (written) written = hints->write(now, durable);
    // The first of a process holds its incarnation and must be there; later ones may be missing.
    if (written || (written.error().fault == Fault::retry && !durable)) return {};
    if (written.error().fault == Fault::retry) return written;
    return log.break_down(std::move(written).error());
}

// Whether the frame is allowed where the log stands. With what it says about generations.
auto LogQueue::Impl::check(const Frame& frame) -> Result<void> {
    const std::lock_guard guard(log.mutex);
    if (log.state.broken) return *log.state.broken;
    const bool in_transaction = log.state.of(SequenceKind::changes).in_transaction;
    if (frame.marker.has_value() != (frame.kind == FrameKind::marker))
        return misused("marker and kind disagree");
    if (frame.kind == FrameKind::changes) return {};
    if (frame.kind == FrameKind::position) {
        if (!in_transaction && frame.batches.empty() && frame.ends_transaction) return {};
        return misused("position inside a transaction");
    }
    auto& current = log.state.current;
    const auto generation = frame.marker ? frame.marker->generation : frame.generation;
    const auto* const record = current.find(generation);
    const bool is_running = record != nullptr && !record->has_ended;
    const bool has_point = is_running && record->has_point;
    if (frame.kind == FrameKind::snapshot) {
        if (has_point) return {};
        return misused("image of generation " + std::to_string(generation) + " is not being taken");
    }
    bool allowed = false;
    switch (frame.marker->kind) {
        case MarkerKind::begin: allowed = generation > current.newest() && !in_transaction; break;
        case MarkerKind::point: allowed = is_running && !has_point; break;
        case MarkerKind::table: allowed = has_point; break;
        case MarkerKind::end: allowed = is_running; break;
        case MarkerKind::left: allowed = !in_transaction; break;
    }
    if (allowed) return {};
    return misused("marker " + std::to_string(static_cast<int>(frame.marker->kind)) +
                   " of generation " + std::to_string(generation) + " out of order");
}

auto LogQueue::Impl::encode(const Frame& frame) -> Result<Outgoing> {
    Outgoing out;
    out.header.kind = static_cast<DiskKind>(frame.kind);
    out.header.ends_transaction = frame.kind != FrameKind::changes || frame.ends_transaction;
    out.header.rows = static_cast<std::uint64_t>(frame.rows());
    out.header.generation = frame.generation;
    out.header.commit_time_us = frame.commit_time_us;
    out.header.first = frame.first;
    out.header.last = frame.last;
    if (frame.last.token.size() > header_bytes_max / 2)
        return misused("token of " + std::to_string(frame.last.token.size()) + " bytes");
    for (const auto& batch : frame.batches) {
        const auto number = TRY(log.schemas.number_of(batch));
        if (std::find(out.schemas.begin(), out.schemas.end(), number) == out.schemas.end())
            out.schemas.push_back(number);
        TRY(encode_batch(batch, number, out.payload));
    }
    if (frame.marker) {
        out.marker = frame.marker;
        out.header.generation = frame.marker->generation;
        if (frame.marker->kind == MarkerKind::begin) {
            const std::lock_guard guard(log.mutex);
            out.marker->snapshot_offset = log.state.of(SequenceKind::snapshot).visible_end;
        }
        out.payload.add(encode_marker(*out.marker));
    }
    out.seal();
    return out;
}

// The change sequence learns what the markers of images said, so that these can be dropped.
auto LogQueue::Impl::record_generation(const std::stop_token& stop) -> Result<void> {
    {
        const std::lock_guard guard(log.mutex);
        if (log.state.recorded == log.state.current.version) return {};
    }
    Outgoing carry;
    carry.carry = true;
    return changes.append(carry, stop);
}

auto LogQueue::append(const Frame& frame, const std::stop_token& stop) -> Result<Durable> {
    auto& log = impl_->log;
    TRY(impl_->check(frame));
    auto out = TRY(impl_->encode(frame));
    const auto kind = sequence_for(frame);
    // Also before: what a crash left unsaid holds the segments of images that it would wait for.
    if (frame.kind != FrameKind::snapshot) TRY(impl_->record_generation(stop));
    TRY(wait_for_room(log, kind, out.header.file_bytes(), stop));
    TRY(impl_->sequence_of(kind).append(out, stop));
    if (frame.kind != FrameKind::snapshot) TRY(impl_->record_generation(stop));
    const std::lock_guard guard(log.mutex);
    return proof(log.state.current.last.value_or(Position{}));
}

auto LogQueue::resume_point() -> Result<ResumePoint> {
    auto& log = impl_->log;
    bool unfinished = false;
    {
        const std::lock_guard guard(log.mutex);
        if (log.state.broken) return *log.state.broken;
        unfinished = log.state.of(SequenceKind::changes).in_transaction;
    }
    if (unfinished) TRY(impl_->recover_all());
    ResumePoint point;
    const std::lock_guard guard(log.mutex);
    const auto& current = log.state.current;
    for (const auto& record : current.generations) point.generations.push_back(state_of(record));
    const auto* const beginning = current.beginning();
    if (beginning == nullptr || !beginning->has_point) return point;
    point.position = current.last.value_or(beginning->consistent_point);
    point.tables = current.tables;
    for (const auto& [table, number] : log.state.in_force)
        if (current.tables.contains(table)) point.schemas.push_back(log.schemas.table(number));
    return point;
}

auto LogQueue::generations() const -> std::vector<GenerationState> {
    const std::lock_guard guard(impl_->log.mutex);
    std::vector<GenerationState> states;
    for (const auto& record : impl_->log.state.current.generations)
        states.push_back(state_of(record));
    return states;
}

auto LogQueue::tables() const -> std::set<TableName> {
    const std::lock_guard guard(impl_->log.mutex);
    return impl_->log.state.current.tables;
}

auto LogQueue::holds(const Place& place) const -> bool {
    const std::lock_guard guard(impl_->log.mutex);
    return check_place(impl_->log.state, place).has_value();
}

auto LogQueue::reader(const std::string& lane, const Place& from)
    -> Result<std::unique_ptr<LaneReader>> {
    TRY(refuse_dropped(impl_->log, lane));
    auto reader = TRY(LogLaneReader::make(impl_->log, from));
    return std::unique_ptr<LaneReader>(
        std::make_unique<HeldReader>(impl_->log, lane, std::move(reader)));
}

auto LogQueue::retain(const std::string& lane, const Offsets& offsets) -> Result<void> {
    auto& log = impl_->log;
    const std::lock_guard guard(log.mutex);
    const auto known = log.state.released.find(lane);
    if (known == log.state.released.end()) return unknown_lane(lane);
    // Nothing released yet holds all there is.
    if (known->second) known->second = earlier(*known->second, offsets);
    return {};
}

auto LogQueue::release(const std::string& lane, const Offsets& offsets) -> Result<void> {
    auto& log = impl_->log;
    {
        const std::lock_guard guard(log.mutex);
        if (log.state.broken) return *log.state.broken;
        const auto known = log.state.released.find(lane);
        if (known == log.state.released.end()) return unknown_lane(lane);
        known->second = offsets;
        log.changed_state();
    }
    for (const auto kind : sequence_kinds) TRY(drop_released(log, kind, 0));
    return impl_->write_hints(false);
}

auto LogQueue::identity() const -> QueueIdentity {
    return {to_string(impl_->log.uuid), impl_->log.incarnation};
}
auto LogQueue::report() const -> const RecoveryReport& {
    return impl_->report;
}

auto LogQueue::room() const -> QueueRoom {
    QueueRoom room;
    room.waits = pressure();
    room.bytes_max = impl_->log.config.max_bytes.count;
    const std::lock_guard guard(impl_->log.mutex);
    room.held_bytes = held_bytes(impl_->log);
    return room;
}

auto LogQueue::still_serves(const std::string& lane) const -> Result<void> {
    return refuse_dropped(impl_->log, lane);
}

auto LogQueue::pressure() const -> std::string {
    const std::lock_guard guard(impl_->log.mutex);
    std::string text;
    for (const auto& [who, why] : impl_->log.state.pressure)
        text += (text.empty() ? "" : "; ") + why;
    return text;
}

auto LogQueue::figures() const -> LogFigures {
    const std::lock_guard guard(impl_->log.mutex);
    const auto& changes = impl_->log.state.of(SequenceKind::changes);
    const auto& snapshot = impl_->log.state.of(SequenceKind::snapshot);
    return {changes.used_bytes() + snapshot.used_bytes(), changes.visible_end,
            snapshot.visible_end};
}

}  // namespace leat::log_queue
