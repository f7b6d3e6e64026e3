// Making segments of zeros.
#include "queue/log/preparer.hpp"

#include "base/failpoint.hpp"
#include "queue/log/manifest.hpp"

namespace leat::log_queue {

namespace {

constexpr auto full_retry = std::chrono::milliseconds(250);

// Small pieces are synced more quickly into blocks that were written before. Where the log grows
// fast they are large, and writing zeros first would cost as much again as the log itself.
using MakeZeros = int (*)(File& file, std::uint64_t begin, std::uint64_t end);
auto zeros_for(const SequenceState& sequence, std::int64_t now_us) -> MakeZeros {
    constexpr double fast_bytes_per_us = 32;
    if (sequence.segments.empty()) return write_zeros;
    const auto us = static_cast<double>(now_us - sequence.segments.back().created_us);
    const bool is_fast = static_cast<double>(sequence.written_bytes) > us * fast_bytes_per_us;
    return is_fast ? reserve_zeros : write_zeros;
}

// Zeros from `begin` to `end`, durable together with the file's name.
auto fill_file(Disk& disk, const Path& path, std::uint64_t begin, std::uint64_t end,
               MakeZeros make_zeros) -> Result<void> {
    constexpr std::string_view step = "preparing a segment";
    std::unique_ptr<File> file;
    int failed = disk.open(path, Access::make, file);
    const auto middle = begin + (end - begin) / 2;
    if (failed == 0) failed = make_zeros(*file, begin, middle);
    failpoint("log.preallocate");
    if (failed == 0) failed = make_zeros(*file, middle, end);
    if (failed != 0) return disk_error(step, path, failed);
    TRY(sync_and_close(*file, Sync::all, step, path));
    return sync_folder(disk, step, path.parent_path());
}

// The folder may have been replaced between the look at it and the making of the file.
auto remove_if_elsewhere(const Log& log, const Path& path) -> Result<void> {
    auto there = log.folder_lock->still_there(log.config.path);
    if (!there) log.disk->remove(path);
    return there;
}

}  // namespace

Preparer::Preparer(Log& log)
    : log_(log), thread_([this](const std::stop_token& stop) { run(stop); }) {}

auto Preparer::run(const std::stop_token& stop) -> void {
    const auto wanted = [&] {
        if (log_.state.broken) return false;
        for (const auto kind : sequence_kinds)
            if (log_.state.of(kind).wanted_bytes > 0) return true;
        return false;
    };
    std::unique_lock lock(log_.mutex);
    while (log_.changed.wait(lock, stop, wanted)) {
        lock.unlock();
        bool full = false;
        for (const auto kind : sequence_kinds) full = !prepare(kind) || full;
        lock.lock();
        if (full) log_.changed.wait_for(lock, stop, full_retry, [] { return false; });
        if (stop.stop_requested()) return;
    }
}

// False: no room, to be tried again.
auto Preparer::prepare(SequenceKind kind) -> bool {
    const std::lock_guard files(log_.files);
    std::uint64_t number = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    MakeZeros make_zeros = write_zeros;
    {
        const std::lock_guard lock(log_.mutex);
        const auto& sequence = log_.state.of(kind);
        if (sequence.wanted_bytes == 0 || log_.state.broken) return true;
        number = sequence.next_number();
        if (sequence.prepared) begin = sequence.prepared->file_bytes;
        end = std::max(begin, sequence.wanted_bytes);
        make_zeros = zeros_for(sequence, log_.clock.wall_us());
    }
    const auto path = log_.path_of(kind, number);
    const auto who = "next " + std::string(to_string(kind)) + " segment";
    auto filled = log_.folder_lock->still_there(log_.config.path);
    if (filled) filled = fill_file(*log_.disk, path, begin, end, make_zeros);
    if (filled && begin == 0) filled = remove_if_elsewhere(log_, path);
    if (!filled) {
        auto error = std::move(filled).error();
        if (error.fault != Fault::retry) {
            error.fault = Fault::fatal;
            log_.break_down(std::move(error));
            return true;
        }
        // Half a file would take the room that others may need to go on.
        if (begin == 0) log_.disk->remove(path);
        log_.set_pressure(who, std::move(error.what));
        return false;
    }
    log_.set_pressure(who, "");
    const std::lock_guard lock(log_.mutex);
    auto& sequence = log_.state.of(kind);
    sequence.prepared = Prepared{number, end};
    if (sequence.wanted_bytes <= end) sequence.wanted_bytes = 0;
    log_.changed_state();
    return true;
}

}  // namespace leat::log_queue
