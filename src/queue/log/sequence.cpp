// Writing: group, place, write, sync, publish. Segment changes are in sequence_segment.cpp.
#include "queue/log/sequence.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/failpoint.hpp"
#include "queue/log/crc32c.hpp"

namespace leat::log_queue {

namespace {

constexpr char zeros[page_bytes] = {};
constexpr std::string_view zero_page(zeros, page_bytes);

}  // namespace

auto Outgoing::seal() -> void {
    header.header_bytes = header_size(header.last.token);
    header.payload_bytes = payload.size();
    std::uint32_t crc = 0;
    for (const auto piece : payload.pieces()) crc = crc32c(piece, crc);
    header.body_crc = crc32c(zero_page.substr(0, padding()), crc);
}

// What one write and one sync make durable.
struct Sequence::Run {
    std::vector<Outgoing*> frames;
    std::deque<Outgoing> made;  // the log's own among them
    std::size_t taken = 0;      // of the group
    std::uint64_t bytes = 0;
    bool in_transaction = false;  // after the last of them
    std::vector<std::uint32_t> declared;
    std::uint32_t chain = 0;
    std::uint64_t next_offset = 0;

    auto add(Outgoing& frame) -> void {
        bytes += frame.header.file_bytes();
        frames.push_back(&frame);
    }
    auto add(Outgoing&& frame) -> void {
        frame.seal();
        add(made.emplace_back(std::move(frame)));
    }
};

auto Sequence::append(Outgoing& frame, const std::stop_token& stop) -> Result<void> {
    std::unique_lock lock(mutex_);
    waiting_.push_back(&frame);
    turn_.wait(lock, [&] { return frame.done || !led_; });
    if (frame.done) return std::move(frame.outcome);
    led_ = true;
    if (log_.config.linger > Duration::zero())
        turn_.wait_for(lock, stop, log_.config.linger, [] { return false; });
    std::vector<Outgoing*> group(waiting_.begin(), waiting_.end());
    waiting_.clear();
    lock.unlock();
    commit(group, stop);
    lock.lock();
    for (auto* member : group) member->done = true;
    led_ = false;
    turn_.notify_all();
    return std::move(frame.outcome);
}

auto Sequence::commit(std::span<Outgoing*> group, const std::stop_token& stop) -> void {
    while (!group.empty()) {
        auto written = write_run(group, stop);
        if (!written) {
            for (auto* frame : group) frame->outcome = written.error();
            return;
        }
        group = group.subspan(*written);
    }
}

auto Sequence::write_run(std::span<Outgoing*> group, const std::stop_token& stop)
    -> Result<std::size_t> {
    {
        const std::lock_guard lock(log_.mutex);
        if (log_.state.broken) return *log_.state.broken;
    }
    Run run;
    gather(run, group);
    if (run.taken == 0) {
        TRY(next_segment(bytes_in_new_segment(*group.front()), stop));
        return std::size_t{0};
    }
    TRY(write(run, stop));
    publish(run);
    return run.taken;
}

auto Sequence::undeclared(const std::vector<std::uint32_t>& numbers, const Run& run) const
    -> std::vector<std::uint32_t> {
    std::vector<std::uint32_t> missing;
    for (const auto number : numbers)
        if (!declared_.contains(number) &&
            std::find(run.declared.begin(), run.declared.end(), number) == run.declared.end())
            missing.push_back(number);
    return missing;
}

// Takes from the group what fits behind the last frame.
auto Sequence::gather(Run& run, std::span<Outgoing*> group) -> void {
    const auto room = file_ ? segment_.file_bytes - position_ : 0;
    run.in_transaction = in_transaction_;
    if (file_ && position_ == page_bytes) opening(run);
    for (auto* frame : group) {
        const auto made = run.made.size();
        const auto frames = run.frames.size();
        const auto declared = run.declared.size();
        const auto bytes = run.bytes;
        const bool in_transaction = run.in_transaction;
        if (frame->carry) {
            opening(run);
        } else {
            if (const auto missing = undeclared(frame->schemas, run); !missing.empty()) {
                run.add(schemas_frame(missing));
                run.declared.insert(run.declared.end(), missing.begin(), missing.end());
            }
            run.add(*frame);
            if (!internal(frame->header.kind)) run.in_transaction = !frame->header.ends_transaction;
        }
        if (run.bytes > room) {
            run.frames.resize(frames);
            while (run.made.size() > made) run.made.pop_back();
            run.declared.resize(declared);
            run.bytes = bytes;
            run.in_transaction = in_transaction;
            return;
        }
        ++run.taken;
    }
}

// What a new segment needs to hold this frame behind what must stand ahead of it.
auto Sequence::bytes_in_new_segment(const Outgoing& frame) -> std::uint64_t {
    Run run;
    const auto declared = std::exchange(declared_, {});
    opening(run);
    if (const auto missing = undeclared(frame.schemas, run); !missing.empty())
        run.add(schemas_frame(missing));
    declared_ = declared;
    return run.bytes + frame.header.file_bytes();
}

auto Sequence::state_frame(bool ends) -> Outgoing {
    Outgoing frame;
    const std::lock_guard lock(log_.mutex);
    const auto& current = log_.state.current;
    frame.header.kind = DiskKind::state;
    frame.header.ends_transaction = ends;
    frame.header.generation = current.newest();
    frame.header.commit_time_us = current.last_time_us;
    if (current.last) frame.header.first = frame.header.last = *current.last;
    frame.recorded = current.version;
    frame.payload.add(encode_state(current));
    return frame;
}

// Never the end of anything: cut when what it stands ahead of did not become durable.
auto Sequence::schemas_frame(const std::vector<std::uint32_t>& numbers) -> Outgoing {
    Outgoing frame;
    frame.header.kind = DiskKind::schemas;
    frame.header.ends_transaction = false;
    for (const auto number : numbers) {
        auto message = log_.schemas.message(number);
        frame.payload.add(encode_message_prefix(number, message.size()));
        frame.payload.add(std::move(message));
    }
    return frame;
}

// Change sequence only: what a reader of this segment must know of all that was before.
auto Sequence::opening(Run& run) -> void {
    if (kind_ != SequenceKind::changes) return;
    std::vector<std::uint32_t> numbers;
    {
        const std::lock_guard lock(log_.mutex);
        for (const auto& [table, number] : log_.state.in_force) numbers.push_back(number);
    }
    if (const auto missing = undeclared(numbers, run); !missing.empty()) {
        run.add(schemas_frame(missing));
        run.declared.insert(run.declared.end(), missing.begin(), missing.end());
    }
    run.add(state_frame(!run.in_transaction));
}

auto Sequence::write(Run& run, const std::stop_token& stop) -> Result<void> {
    run.chain = chain_;
    run.next_offset = next_offset_;
    std::deque<std::string> headers;
    std::vector<std::string_view> pieces;
    for (auto* frame : run.frames) {
        auto& header = frame->header;
        header.offset = run.next_offset++;
        header.group_first = next_offset_;
        header.previous_crc = run.chain;
        header.incarnation = log_.incarnation;
        header.written_us = log_.clock.wall_us();
        pieces.push_back(headers.emplace_back(encode_header(header, seed_)));
        run.chain = header.chain;
        const auto payload = frame->payload.pieces();
        pieces.insert(pieces.end(), payload.begin(), payload.end());
        if (frame->padding() > 0) pieces.push_back(zero_page.substr(0, frame->padding()));
    }
    while (true) {
        int failed = clean_tail();
        if (failed == 0) {
            dirty_until_ = std::max(dirty_until_, position_ + run.bytes);
            failed = write_all(*file_, pieces, position_);
        }
        if (failed == 0) break;
        auto error = disk_error("writing to the log", log_.path_of(kind_, segment_.number), failed);
        if (!is_full(failed)) {
            error.fault = Fault::fatal;
            return log_.break_down(std::move(error));
        }
        TRY(wait_for_room(std::move(error.what), stop));
    }
    failpoint("log.frame_written");
    if (const int failed = file_->sync(Sync::data); failed != 0) {
        return log_.break_down(
            sync_error("fdatasync of the log", log_.path_of(kind_, segment_.number), failed));
    }
    failpoint("log.frame_synced");
    return {};
}

// What a write that was given up left behind the last frame must not be found there later.
auto Sequence::clean_tail() -> int {
    if (dirty_until_ <= position_) return 0;
    const int failed = write_zeros(*file_, position_, dirty_until_);
    if (failed == 0) dirty_until_ = position_;
    return failed;
}

auto Sequence::publish(const Run& run) -> void {
    position_ += run.bytes;
    dirty_until_ = position_;
    next_offset_ = run.next_offset;
    chain_ = run.chain;
    declared_.insert(run.declared.begin(), run.declared.end());
    in_transaction_ = run.in_transaction;

    const std::lock_guard lock(log_.mutex);
    auto& state = log_.state;
    auto& sequence = state.of(kind_);
    std::uint64_t readable_end = 0;
    for (const auto* frame : run.frames) {
        const auto& header = frame->header;
        for (const auto number : frame->schemas)
            note_schema(log_, kind_, number, state.current, state.in_force);
        if (!internal(header.kind)) readable_end = header.offset + 1;
        if (frame->recorded) {
            state.recorded = *frame->recorded;
            state.recorded_at = header.offset;
        }
        if (frame->marker) {
            const bool all_recorded = state.recorded == state.current.version;
            apply(*frame->marker, header.offset, state.current, state.in_force);
            if (kind_ == SequenceKind::changes && all_recorded) {
                state.recorded = state.current.version;
                state.recorded_at = header.offset;
            }
        }
        if (!header.ends_transaction) continue;
        sequence.visible_end = header.offset + 1;
        if (readable_end > 0) sequence.readable_end = readable_end;
        if (header.kind == DiskKind::changes || header.kind == DiskKind::position) {
            state.current.last = header.last;
            state.current.last_time_us = header.commit_time_us;
        }
    }
    sequence.written_bytes = position_;
    sequence.in_transaction = in_transaction_;
    state.pressure.erase(std::string(to_string(kind_)));
    // Early enough for a file of zeros to be ready before this one is full.
    if (position_ > segment_.file_bytes / 4 && !sequence.prepared && sequence.wanted_bytes == 0)
        sequence.wanted_bytes = log_.config.segment_bytes.count;
    log_.changed_state();
}

}  // namespace leat::log_queue
