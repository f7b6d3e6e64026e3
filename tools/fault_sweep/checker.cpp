// Opens the log twice and uses it once: what had proof is there byte for byte, nothing else is,
// cuts are reported and real, lanes go on where their sinks are, new transactions are taken.
#include "checker.hpp"

#include <deque>
#include <map>
#include <set>

#include "queue/log/lane_fixture.hpp"
#include "queue/log/payload.hpp"
#include "queue/log/segment_reader.hpp"
#include "script.hpp"
#include "writer.hpp"

namespace leat::log_queue {

namespace {

using namespace fixture;

auto violated(std::string what) -> Error {
    return Error{Fault::fatal, std::move(what), "", ""};
}

auto sequence_of(const Frame& frame) -> SequenceKind {
    const bool image = frame.kind == FrameKind::snapshot ||
                       (frame.marker && frame.marker->kind != MarkerKind::begin &&
                                         frame.marker->kind != MarkerKind::left);
    return image ? SequenceKind::snapshot : SequenceKind::changes;
}

struct Stored {
    Frame frame;
    std::uint64_t offset = 0;
};

// Frames of one segment, past the log's own interface.
auto read_segment(Disk& disk, const Path& path, std::vector<Stored>& stored) -> Result<void> {
    auto reader = TRY(SegmentReader::open(disk, path));
    if (reader.page().state != PageState::valid) return {};
    Dictionary dictionary;
    for (std::uint64_t at = page_bytes;;) {
        const auto found = TRY(reader.read(at, Depth::whole));
        if (found.found == Found::end) return {};
        if (found.found == Found::bad)
            return violated(path.string() + ": " + std::string(found.why));
        const auto& header = found.header;
        at += header.file_bytes();
        if (header.kind == DiskKind::schemas)
            TRY(decode_schemas(reader.payload_view(), dictionary));
        if (internal(header.kind)) continue;
        Frame frame;
        frame.kind = static_cast<FrameKind>(header.kind);
        frame.first = header.first;
        frame.last = header.last;
        frame.ends_transaction = header.ends_transaction;
        frame.commit_time_us = header.commit_time_us;
        frame.generation = header.generation;
        if (frame.kind == FrameKind::changes || frame.kind == FrameKind::snapshot)
            frame.batches = TRY(decode_batches(reader.payload(), dictionary));
        if (frame.kind == FrameKind::marker)
            frame.marker = TRY(decode_marker(reader.payload_view()));
        stored.push_back({std::move(frame), header.offset});
    }
}

auto read_sequence(Disk& disk, const Path& folder, SequenceKind kind)
    -> Result<std::vector<Stored>> {
    std::vector<std::string> names;
    disk.list(folder, names);
    std::map<std::uint64_t, Path> paths;
    for (const auto& file : names)
        if (const auto name = parse_segment_name(file); name && name->kind == kind)
            paths[name->number] = folder / file;
    std::vector<Stored> stored;
    for (const auto& [number, path] : paths) TRY(read_segment(disk, path, stored));
    return stored;
}

// Segments that hold anything, by name.
auto segments(Disk& disk, const Path& folder) -> std::map<std::string, std::string> {
    std::map<std::string, std::string> contents;
    std::vector<std::string> names;
    disk.list(folder, names);
    for (const auto& name : names) {
        std::unique_ptr<File> file;
        if (!parse_segment_name(name) || disk.open(folder / name, Access::read, file) != 0) continue;
        std::string bytes(static_cast<std::size_t>(file->size()), '\0');
        read_some(*file, bytes, 0);
        if (!all_zero(bytes)) contents.emplace(name, std::move(bytes));
    }
    return contents;
}

class Checker {
public:
    Checker(Disk& disk, Path folder, Record record)
        : disk_(disk),
          folder_(std::move(folder)),
          record_(std::move(record)),
          script_(make_script()) {}

    auto run() -> Result<std::string> {
        const auto before = segments(disk_, folder_);
        TRY(open());
        const auto report = log_->report();
        const auto point = TRY(log_->resume_point());
        log_.reset();
        const auto cut = report.torn_bytes + report.unfinished_bytes;
        if (cut == 0 && segments(disk_, folder_) != before)
            return violated("segments were changed, and the report says nothing");
        if (cut > 0 && segments(disk_, folder_) == before)
            return violated("report says that " + std::to_string(cut) + " bytes were cut");
        for (const auto kind : {SequenceKind::changes, SequenceKind::snapshot})
            TRY(check_sequence(kind));
        TRY(check_generations(point));
        TRY(check_second_start());
        for (const auto& [lane, sink] : record_.sinks) TRY(check_lane(lane, sink));
        TRY(go_on(point));
        return "torn " + std::to_string(report.torn_bytes) + ", unfinished " +
               std::to_string(report.unfinished_frames);
    }

private:
    auto open() -> Result<void> {
        log_.reset();
        Surroundings surroundings;
        surroundings.disk = &disk_;
        auto made = LogQueue::make(sweep_config(folder_), sweep_context(clock_), surroundings);
        if (!made)
            return violated("does not open: " + made.error().what + " " + made.error().context);
        log_ = std::move(made).value();
        return {};
    }

    // What the sequence should hold, dropped segments included, and how much of it must be there.
    // Unfinished transactions are gone once the log was opened or resumed behind them.
    auto expect(SequenceKind kind) -> std::size_t {
        std::size_t whole = 0;  // behind the last frame that ends its transaction
        std::size_t proven = 0;
        auto& list = expected_[kind];
        for (std::size_t i = 0; i < script_.size(); ++i) {
            const auto& step = script_[i];
            if (step.what == Do::resume || step.what == Do::reopen) list.resize(whole);
            if (step.what != Do::append || sequence_of(step.frame) != kind) continue;
            if (i > record_.tried) break;
            list.push_back(&step.frame);
            if (step.frame.kind != FrameKind::changes || step.frame.ends_transaction) {
                whole = list.size();
                if (record_.proven.contains(i)) proven = whole;
            }
        }
        list.resize(whole);
        return proven;
    }

    auto check_sequence(SequenceKind kind) -> Result<void> {
        const auto proven = expect(kind);
        const auto& expected = expected_[kind];
        const auto& stored = stored_[kind] = TRY(read_sequence(disk_, folder_, kind));
        const auto name = std::string(to_string(kind)) + ": ";
        if (stored.empty()) {
            present_[kind] = 0;
            if (proven == 0) return {};
            return violated(name + "nothing is there");
        }
        std::size_t first = 0;
        while (first < expected.size() && !same(*expected[first], stored.front().frame)) ++first;
        if (first > 0 && !may_drop(kind, stored.front().offset))
            return violated(name + "frames are gone that no lane has released, up to offset " +
                            std::to_string(stored.front().offset));
        present_[kind] = first + stored.size();
        if (present_[kind] > expected.size())
            return violated(name + "holds frames that were not appended");
        if (present_[kind] < proven)
            return violated(name + std::to_string(proven - present_[kind]) +
                            " frames with proof are gone");
        for (std::size_t i = 0; i < stored.size(); ++i)
            if (const auto equal = same(*expected[first + i], stored[i].frame); !equal)
                return violated(name + equal.message());
        return {};
    }

    // A lane holds the images that it asks for, and those whose begin it has not met.
    auto may_drop(SequenceKind kind, std::uint64_t offset) -> bool {
        if (record_.released.size() < 2) return false;
        for (const auto& [lane, released] : record_.released) {
            if (kind == SequenceKind::changes && offset > released.change_offset) return false;
            if (kind == SequenceKind::changes) continue;
            if (offset > released.snapshot_offset.value_or(offset)) return false;
            for (const auto& [frame, at] : stored_[SequenceKind::changes])
                if (is_begin(frame) && at >= released.change_offset &&
                    offset > frame.marker->snapshot_offset)
                    return false;
        }
        return true;
    }
    static auto is_begin(const Frame& frame) -> bool {
        return frame.marker && frame.marker->kind == MarkerKind::begin;
    }

    // What is known of generations is what the markers that are there say, whichever sequence had
    // heard of them.
    auto check_generations(const ResumePoint& point) -> Result<void> {
        State state;
        SchemasInForce none;
        for (const auto kind : {SequenceKind::changes, SequenceKind::snapshot})
            for (std::size_t i = 0; i < present_[kind]; ++i)
                if (const auto& marker = expected_[kind][i]->marker) apply(*marker, 0, state, none);
        const auto wrong = [](Generation generation) {
            return violated("generation " + std::to_string(generation) + " is not as it was");
        };
        std::set<Generation> known;
        for (const auto& each : point.generations) {
            known.insert(each.generation);
            const auto* const record = state.find(each.generation);
            if (record == nullptr || record->purpose != each.purpose ||
                record->is_all != each.is_all || record->lineage != each.lineage ||
                record->sinks != each.sinks || record->tables != each.tables ||
                record->whole != each.whole || record->has_ended != each.has_ended ||
                record->has_point != each.point.has_value() ||
                (each.point && *each.point != record->consistent_point))
                return wrong(each.generation);
        }
        const auto* const beginning = state.beginning();
        for (const auto& record : state.generations)
            if ((!record.has_ended || &record == beginning ||
                 record.generation == state.newest()) &&
                !known.contains(record.generation))
                return wrong(record.generation);
        if (point.position.has_value() != (beginning != nullptr && beginning->has_point))
            return violated("stream begins where it did not");
        if (point.position && point.tables != state.tables)
            return violated("stream carries other tables");
        return {};
    }

    // What recovery left needs no recovery.
    auto check_second_start() -> Result<void> {
        const auto before = segments(disk_, folder_);
        TRY(open());
        const auto& report = log_->report();
        if (report.torn_bytes + report.unfinished_bytes > 0 || segments(disk_, folder_) != before)
            return violated("the second start cuts again");
        return {};
    }

    using Wanted = std::deque<const Frame*>;

    // The lane gets every commit behind its sink, once, in order, and the images of its rebuilds.
    auto check_lane(const std::string& lane, const SinkRecord& sink) -> Result<void> {
        CheckedLane reader(lane, rebuild_frames);
        reader.restore(sink.offsets, sink.commit);
        std::map<Generation, Wanted> wanted;
        const auto& expected = expected_[SequenceKind::changes];
        for (std::size_t i = 0; i < present_[SequenceKind::changes]; ++i)
            if (!expected[i]->marker && expected[i]->last.commit > sink.commit)
                wanted[sink.offsets.generation].push_back(expected[i]);
        for (const auto& rebuild : sink.offsets.rebuilds)
            wanted[rebuild.generation] = wanted_at(rebuild);
        for (const auto& [frame, at] : stored_[SequenceKind::changes]) {
            if (!is_begin(frame) || at < sink.offsets.change_offset) continue;
            Place place;
            place.generation = frame.marker->generation;
            place.change_offset = at + 1;
            wanted[place.generation] = wanted_at(place);
        }
        reader.on_frame = [&](const Frame& frame, Generation generation) -> Result<void> {
            auto& left = wanted[generation];
            if (left.empty() || !same(*left.front(), frame))
                return violated("lane " + lane + " is given " + to_string(frame.last) +
                                " in generation " + std::to_string(generation));
            left.pop_front();
            return {};
        };
        TRY(reader.follow(*log_));
        for (const auto& [generation, left] : wanted)
            if (!left.empty())
                return violated("lane " + lane + " is not given " + to_string(left.front()->last) +
                                " in generation " + std::to_string(generation));
        return {};
    }

    // Frames of the image from there on and, if it is there as a whole, all changes behind it.
    auto wanted_at(const Place& place) -> Wanted {
        Wanted wanted;
        auto point = place.consistent_point;
        bool is_whole = place.image_complete;
        for (const auto& [frame, at] : stored_[SequenceKind::snapshot]) {
            if (frame.generation != place.generation) continue;
            if (frame.marker && frame.marker->kind == MarkerKind::point)
                point = frame.marker->position;
            if (frame.marker && frame.marker->kind == MarkerKind::end)
                is_whole = frame.marker->tables.empty();
            if (!frame.marker && !place.image_complete && at >= place.snapshot_offset)
                wanted.push_back(&frame);
        }
        for (const auto& [frame, at] : stored_[SequenceKind::changes])
            if (is_whole && !frame.marker && at >= place.change_offset && frame.last > point)
                wanted.push_back(&frame);
        return wanted;
    }

    // As capture would.
    auto go_on(const ResumePoint& point) -> Result<void> {
        auto last = Position{};
        if (point.position) {
            last = *point.position;
            last.commit += 1;
            TRY(log_->append(transaction(last.commit), {}));
        } else {
            const auto begun = point.generations.size();
            const auto generation = begun == 0 ? 0 : point.generations.back().generation;
            if (begun > 0 && !point.generations.back().has_ended)
                TRY(log_->append(marker(MarkerKind::end, generation, {}, {orders_name()}), {}));
            const auto lineage = static_cast<std::uint32_t>(generation) + 1;
            const Position at{lineage, consistent_point, 0, "again"};
            TRY(log_->append(marker(MarkerKind::begin, lineage, {lineage, 0, 0, ""}), {}));
            TRY(log_->append(marker(MarkerKind::point, lineage, at), {}));
            TRY(log_->append(image(1, lineage), {}));
            TRY(log_->append(marker(MarkerKind::table, lineage, at, {orders_name()}), {}));
            TRY(log_->append(marker(MarkerKind::end, lineage, at), {}));
            last = at;
        }
        TRY(open());
        const auto after = TRY(log_->resume_point());
        if (!after.position || after.position->commit != last.commit)
            return violated("does not go on behind " + to_string(last));
        return {};
    }

    Disk& disk_;
    const Path folder_;
    const Record record_;
    const std::vector<Step> script_;
    ManualClock clock_;
    std::unique_ptr<LogQueue> log_;
    std::map<SequenceKind, std::vector<const Frame*>> expected_;
    std::map<SequenceKind, std::vector<Stored>> stored_;
    std::map<SequenceKind, std::size_t> present_;
};

}  // namespace

auto check_log(Disk& disk, const Path& folder, const Record& record) -> Result<std::string> {
    return Checker(disk, folder, record).run();
}

}  // namespace leat::log_queue
