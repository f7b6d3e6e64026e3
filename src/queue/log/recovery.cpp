// From scanned frames to state: schemas in force, the newest generation, the last transaction.
#include "queue/log/recovery.hpp"

#include <algorithm>

#include "queue/log/payload.hpp"

namespace leat::log_queue {

namespace {

// What the noted frames of one sequence add up to.
struct Replayed {
    State state;
    std::uint64_t recorded_at = 0;
    SchemasInForce in_force;
    std::vector<std::uint32_t> schemas;     // in order
    std::set<std::uint32_t> declared;       // in the last segment
    std::vector<Marker> markers;
};

auto is_known(const Marker& marker, State& state) -> bool {
    return marker.kind == MarkerKind::begin || marker.kind == MarkerKind::left ||
           state.find(marker.generation) != nullptr;
}

class Replay {
public:
    Replay(Log& log, SequenceKind kind, const Scan& scan) : log_(log), kind_(kind), scan_(scan) {}

    auto run() -> Result<Replayed> {
        for (const auto& noted : scan_.noted) TRY(take(noted));
        const auto& last = scan_.last_rows;
        if (last && (scan_.noted.empty() || last->offset > state_at_)) {
            result_.state.last = last->last;
            result_.state.last_time_us = last->commit_time_us;
        }
        return std::move(result_);
    }

private:
    auto take(const Noted& noted) -> Result<void> {
        if (!reader_ || noted.segment != segment_) {
            const auto number = scan_.segments[noted.segment].number;
            reader_ = TRY(SegmentReader::open(*log_.disk, log_.path_of(kind_, number)));
            segment_ = noted.segment;
        }
        const auto frame = TRY(reader_->read(noted.at, Depth::whole));
        if (frame.found != Found::frame)
            return damage(reader_->path().string(), noted.at, "frame changed while it was read");
        const auto payload = reader_->payload_view();
        if (noted.header.kind == DiskKind::schemas) return take_schemas(noted, payload);
        if (noted.header.kind == DiskKind::state) {
            result_.state = TRY(decode_state(payload));
            state_at_ = result_.recorded_at = noted.header.offset;
            return {};
        }
        if (noted.header.kind != DiskKind::marker)
            return Error{Fault::config, "log holds a frame of an unknown kind",
                         "Use the version of leat that wrote it.", reader_->path().string(),
                         Code::log_version};
        auto marker = TRY(decode_marker(payload));
        if (kind_ == SequenceKind::changes) {
            if (!is_known(marker, result_.state))
                return damage(reader_->path().string(), noted.at, "marker of an unknown generation");
            apply(marker, noted.header.offset, result_.state, result_.in_force);
            if (marker.kind == MarkerKind::begin && marker.purpose == Purpose::anew)
                state_at_ = noted.header.offset;
            result_.recorded_at = noted.header.offset;
        }
        result_.markers.push_back(std::move(marker));
        return {};
    }

    auto take_schemas(const Noted& noted, std::string_view payload) -> Result<void> {
        for (const auto& message : TRY(decode_messages(payload))) {
            auto decoded = TRY(decode_schema(message.bytes));
            log_.schemas.learn(message.schema, std::string(message.bytes), decoded.table);
            result_.schemas.push_back(message.schema);
            if (kind_ == SequenceKind::changes)
                note_schema(log_, kind_, message.schema, result_.state, result_.in_force);
            if (noted.segment + 1 == scan_.segments.size()) result_.declared.insert(message.schema);
        }
        return {};
    }

    Log& log_;
    const SequenceKind kind_;
    const Scan& scan_;
    Replayed result_;
    std::uint64_t state_at_ = 0;
    std::optional<SegmentReader> reader_;
    std::size_t segment_ = 0;
};

auto tail_of(const Scan& scan, std::set<std::uint32_t> declared) -> Tail {
    Tail tail;
    tail.position = scan.position;
    tail.next_offset = scan.next_offset;
    tail.chain = scan.chain;
    tail.declared = std::move(declared);
    if (!scan.segments.empty()) tail.segment = scan.segments.back();
    return tail;
}

// With the lock held.
auto adopt(const Scan& scan, SequenceState& sequence) -> void {
    sequence.segments.clear();
    for (const auto& header : scan.segments)
        sequence.segments.push_back(
            {header.number, header.base_offset, header.file_bytes, header.created_us});
    sequence.prepared = scan.prepared;
    sequence.wanted_bytes = 0;
    sequence.written_bytes = scan.position;
    sequence.visible_end = scan.next_offset;
    sequence.readable_end = scan.readable_end;
    sequence.in_transaction = false;
}

// The markers of images are in the snapshot sequence; the change sequence may not have heard of the
// last of them. True: it had not.
auto merge(const Replayed& image, State& state, SchemasInForce& in_force) -> bool {
    const auto before = state.generations;
    for (const auto& marker : image.markers)
        if (is_known(marker, state)) apply(marker, 0, state, in_force);
    return state.generations != before;
}

}  // namespace

auto recover(Log& log) -> Result<Recovered> {
    const auto started = log.clock.steady();
    Recovered recovered;
    const auto changes =
        TRY(Scanner(log, SequenceKind::changes, recovered.report).run(ScanLimits{}));
    auto replayed = TRY(Replay(log, SequenceKind::changes, changes).run());
    const auto recorded = replayed.state.version;
    auto image = TRY(Scanner(log, SequenceKind::snapshot, recovered.report).run(ScanLimits{}));
    auto replayed_image = TRY(Replay(log, SequenceKind::snapshot, image).run());
    bool is_news = merge(replayed_image, replayed.state, replayed.in_force);
    if (is_news && image.first_scanned > 0) {
        // What the change sequence has not heard of may be further back than what was scanned.
        image = TRY(Scanner(log, SequenceKind::snapshot, recovered.report)
                        .run(ScanLimits{std::numeric_limits<std::uint64_t>::max() / 2}));
        replayed_image = TRY(Replay(log, SequenceKind::snapshot, image).run());
        merge(replayed_image, replayed.state, replayed.in_force);
    }
    if (!is_news) replayed.state.version = recorded;
    recovered.incarnation = std::max(changes.incarnation, image.incarnation);
    recovered.tails[SequenceKind::changes] = tail_of(changes, std::move(replayed.declared));
    recovered.tails[SequenceKind::snapshot] = tail_of(image, std::move(replayed_image.declared));
    for (const auto number : replayed_image.schemas)
        note_schema(log, SequenceKind::snapshot, number, replayed.state, replayed.in_force);
    recovered.report.seconds = std::chrono::duration<double>(log.clock.steady() - started).count();

    const std::lock_guard lock(log.mutex);
    auto& state = log.state;
    adopt(changes, state.of(SequenceKind::changes));
    adopt(image, state.of(SequenceKind::snapshot));
    state.current = std::move(replayed.state);
    state.recorded = recorded;
    state.recorded_at = replayed.recorded_at;
    state.in_force = std::move(replayed.in_force);
    log.changed_state();
    return recovered;
}

}  // namespace leat::log_queue
