// The writing end's segments: taking the next one into use, opening after recovery, closing.
#include <algorithm>

#include "base/failpoint.hpp"
#include "queue/log/manifest.hpp"
#include "queue/log/sequence.hpp"

namespace leat::log_queue {

auto Sequence::open(Tail tail) -> Result<void> {
    TRY(close());
    segment_ = {};
    position_ = tail.position;
    dirty_until_ = position_;
    next_offset_ = tail.next_offset;
    chain_ = tail.chain;
    in_transaction_ = false;
    declared_ = std::move(tail.declared);
    if (!tail.segment) return {};
    segment_ = *tail.segment;
    seed_ = frame_seed(segment_);
    const auto path = log_.path_of(kind_, segment_.number);
    if (const int failed = log_.disk->open(path, Access::write, file_); failed != 0)
        return disk_error("opening a segment", path, failed);
    return {};
}

auto Sequence::close() -> Result<void> {
    if (!file_) return {};
    auto closed = close_written(*file_, "closing a segment", log_.path_of(kind_, segment_.number));
    file_.reset();
    if (closed) return {};
    return log_.break_down(std::move(closed).error());
}

// Waits for the file of zeros that the preparer makes, and starts it.
auto Sequence::next_segment(std::uint64_t bytes, const std::stop_token& stop) -> Result<void> {
    bytes = std::max(whole_pages(page_bytes + bytes), log_.config.segment_bytes.count);
    Prepared prepared;
    {
        std::unique_lock lock(log_.mutex);
        auto& sequence = log_.state.of(kind_);
        const auto ready = [&] {
            return sequence.prepared && sequence.prepared->file_bytes >= bytes;
        };
        if (!ready()) {
            sequence.wanted_bytes = bytes;
            log_.changed_state();
        }
        log_.changed.wait(lock, stop, [&] { return ready() || log_.state.broken; });
        if (log_.state.broken) return *log_.state.broken;
        if (!ready()) return stopped();
        prepared = *sequence.prepared;
    }
    return start_segment(prepared, stop);
}

// The header is durable before the first frame is written: a segment whose header page is invalid
// and that holds anything else was damaged, not torn.
auto Sequence::start_segment(const Prepared& prepared, const std::stop_token& stop)
    -> Result<void> {
    TRY(close());
    failpoint("log.segment_switch");
    const auto path = log_.path_of(kind_, prepared.number);
    segment_ = {log_.uuid,
                kind_,
                prepared.number,
                next_offset_,
                log_.random(),
                prepared.file_bytes,
                log_.clock.wall_us(),
                chain_};
    const auto page = encode(segment_);
    const std::string_view piece = page;
    std::unique_ptr<File> file;
    const auto begin = [&] {
        const int opened = file ? 0 : log_.disk->open(path, Access::write, file);
        return opened != 0 ? opened : write_all(*file, std::span(&piece, 1), 0);
    };
    int failed = begin();
    while (is_full(failed)) {
        TRY(wait_for_room(disk_error("starting a segment", path, failed).what, stop));
        failed = begin();
    }
    if (failed == 0) failed = file->sync(Sync::all);
    if (failed != 0) {
        auto there = log_.folder_lock->still_there(log_.config.path);
        auto error = there ? disk_error("starting a segment", path, failed) : there.error();
        error.fault = Fault::fatal;
        return log_.break_down(std::move(error));
    }
    file_ = std::move(file);
    seed_ = frame_seed(segment_);
    position_ = page_bytes;
    dirty_until_ = position_;
    declared_.clear();

    const std::lock_guard lock(log_.mutex);
    auto& sequence = log_.state.of(kind_);
    sequence.segments.push_back(
        {segment_.number, segment_.base_offset, segment_.file_bytes, segment_.created_us});
    sequence.written_bytes = position_;
    sequence.prepared.reset();
    sequence.wanted_bytes = 0;
    log_.changed_state();
    return {};
}

// Nothing is lost while the disk is full: frames wait here, and the source with them.
auto Sequence::wait_for_room(std::string why, const std::stop_token& stop) -> Result<void> {
    constexpr auto full_retry = std::chrono::milliseconds(200);
    log_.set_pressure(to_string(kind_), std::move(why));
    std::unique_lock lock(log_.mutex);
    log_.changed.wait_for(lock, stop, full_retry, [] { return false; });
    if (stop.stop_requested()) return stopped();
    return {};
}

}  // namespace leat::log_queue
