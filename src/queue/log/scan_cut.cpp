// Cutting: every step leaves a log that the next start finds valid and not longer than before.
#include <algorithm>

#include "base/failpoint.hpp"
#include "queue/log/scan.hpp"

namespace leat::log_queue {

auto Scanner::zero(std::size_t index, std::uint64_t begin, std::uint64_t end) -> Result<void> {
    const auto path = path_of(index);
    std::unique_ptr<File> file;
    int failed = log_.disk->open(path, Access::write, file);
    if (failed == 0) failed = write_zeros(*file, begin, end);
    constexpr std::string_view step = "cutting the tail of the log";
    if (failed != 0) return disk_error(step, path, failed);
    return sync_and_close(*file, Sync::data, step, path);
}

auto Scanner::cut_torn(std::size_t index, std::uint64_t begin, std::uint64_t end) -> Result<void> {
    report_.torn_bytes += end - begin;
    return zero(index, begin, whole_pages(end));
}

// Newest first: what is left after a crash in between is a shorter unfinished transaction.
auto Scanner::cut_unfinished() -> Result<void> {
    if (unfinished_frames_ == 0) return {};
    if (!end_) {
        const auto& first = scan_.segments.front();
        if (scan_.first_scanned > 0 || first.base_offset > 0)
            return damage(path_of(0).string(), page_bytes, "no end of a transaction in the log");
        end_ = End{0, page_bytes, 0, first.closing_crc, 0, 0};
    }
    report_.unfinished_frames += unfinished_frames_;
    report_.unfinished_bytes += unfinished_bytes_;
    report_.frames -= unfinished_frames_;
    if (end_->segment + 1 < scan_.segments.size() && scan_.prepared) {
        TRY(drop_file(scan_.prepared->number));
        scan_.prepared.reset();
    }
    while (end_->segment + 1 < scan_.segments.size()) {
        failpoint("log.cut_tail");
        TRY(drop_file(scan_.segments.back().number));
        scan_.segments.pop_back();
    }
    // One write at a time: a later frame without an earlier one of another write would look like
    // damage after a crash.
    while (!after_end_.empty()) {
        failpoint("log.cut_tail");
        const auto end = after_end_.back().end;
        const auto group = after_end_.back().group_first;
        auto begin = end;
        while (!after_end_.empty() && after_end_.back().group_first == group) {
            begin = after_end_.back().begin;
            after_end_.pop_back();
        }
        TRY(zero(end_->segment, begin, end));
    }
    failpoint("log.cut_tail");
    scan_.position = end_->position;
    scan_.next_offset = end_->next_offset;
    scan_.chain = end_->chain;
    scan_.readable_end = end_->readable_end;
    scan_.noted.resize(end_->noted);
    return {};
}

}  // namespace leat::log_queue
