// Finding the segments of a sequence and checking their frames.
#include "queue/log/scan.hpp"

#include <algorithm>

#include "base/failpoint.hpp"

namespace leat::log_queue {

auto Scanner::run(const ScanLimits& limits) -> Result<Scan> {
    TRY(find_segments());
    if (scan_.segments.empty()) return std::move(scan_);
    TRY(choose_start(limits.verify_bytes));
    const auto& first = scan_.segments[scan_.first_scanned];
    scan_.next_offset = first.base_offset;
    scan_.readable_end = first.base_offset;
    scan_.chain = first.closing_crc;
    for (auto i = scan_.first_scanned; i < scan_.segments.size(); ++i) TRY(scan_segment(i));
    if (kind_ == SequenceKind::changes) TRY(cut_unfinished());
    report_.segments += scan_.segments.size();
    return std::move(scan_);
}

auto Scanner::find_segments() -> Result<void> {
    std::vector<std::string> names;
    if (const int failed = log_.disk->list(log_.config.path, names); failed != 0)
        return disk_error("reading the folder of the log", log_.config.path, failed);
    std::vector<std::uint64_t> numbers;
    for (const auto& name : names)
        if (const auto parsed = parse_segment_name(name); parsed && parsed->kind == kind_)
            numbers.push_back(parsed->number);
    std::sort(numbers.begin(), numbers.end());
    for (const auto number : numbers) TRY(take_segment(number));
    return {};
}

auto Scanner::take_segment(std::uint64_t number) -> Result<void> {
    const auto path = log_.path_of(kind_, number);
    auto reader = TRY(SegmentReader::open(*log_.disk, path));
    const auto& page = reader.page();
    if (scan_.prepared) {
        // Only one file is made ahead, and only behind the last one in use.
        if (page.state != PageState::empty)
            return damage(log_.path_of(kind_, scan_.prepared->number).string(), 0,
                          "segment without header before one in use");
        return drop_file(number);
    }
    if (page.state == PageState::newer)
        return Error{Fault::config,
                     "log has format " + std::to_string(page.version) +
                         ", this version of leat reads " + std::to_string(format_version),
                     "Use the version of leat that wrote it, or a newer one.", path.string(),
                     Code::log_version};
    if (page.state != PageState::valid) {
        const auto behind = page.state == PageState::empty ? 0 : page_bytes;
        if (const auto data = TRY(reader.first_nonzero(behind)))
            return damage(path.string(), page.state == PageState::empty ? *data : 0,
                          "segment holds data behind an invalid header");
        const bool next = scan_.segments.empty() || number == scan_.segments.back().number + 1;
        if (!next) return drop_file(number);
        // A file that was only begun is too short for a header page; nothing was torn then.
        if (page.state == PageState::invalid && TRY(reader.first_nonzero(0)))
            report_.torn_bytes += page_bytes;
        const bool whole = page.state == PageState::empty &&
                           reader.file_bytes() >= log_.config.segment_bytes.count &&
                           reader.file_bytes() % page_bytes == 0;
        if (!whole) return drop_file(number);
        scan_.prepared = Prepared{number, reader.file_bytes()};
        return {};
    }
    const auto& header = page.header;
    if (header.log != log_.uuid)
        return Error{Fault::config, "segment belongs to another log: " + to_string(header.log),
                     "Take the file out of this folder.", path.string(), Code::log_foreign};
    if (header.kind != kind_ || header.number != number)
        return damage(path.string(), 0, "segment under a name that is not its own");
    if (header.file_bytes != reader.file_bytes())
        return damage(path.string(), reader.file_bytes(), "segment of the wrong size");
    if (!scan_.segments.empty() && (number != scan_.segments.back().number + 1 ||
                                    header.base_offset < scan_.segments.back().base_offset))
        return damage(path.string(), 0, "segment missing before this one");
    scan_.segments.push_back(header);
    return {};
}

// A file that never held a frame.
auto Scanner::drop_file(std::uint64_t number) -> Result<void> {
    const auto path = log_.path_of(kind_, number);
    constexpr std::string_view step = "removing a segment that is not in use";
    if (const int failed = log_.disk->remove(path); failed != 0)
        return disk_error(step, path, failed);
    return sync_folder(*log_.disk, step, log_.config.path);
}

// The newest segments up to the limit, and as many more as it takes to begin behind the end of a
// transaction.
auto Scanner::choose_start(std::uint64_t verify_bytes) -> Result<void> {
    auto start = scan_.segments.size() - 1;
    auto bytes = scan_.segments[start].file_bytes;
    while (start > 0 && bytes + scan_.segments[start - 1].file_bytes <= verify_bytes)
        bytes += scan_.segments[--start].file_bytes;
    if (kind_ == SequenceKind::changes)
        while (start > 0 && !TRY(opens_between_transactions(start))) --start;
    scan_.first_scanned = start;
    return {};
}

// Whether the segment's opening says that no transaction was open then.
auto Scanner::opens_between_transactions(std::size_t index) -> Result<bool> {
    auto reader = TRY(SegmentReader::open(*log_.disk, path_of(index)));
    for (auto at = page_bytes;;) {
        const auto frame = TRY(reader.read(at, Depth::header));
        if (frame.found != Found::frame || !internal(frame.header.kind)) return false;
        if (frame.header.ends_transaction) return true;
        at += frame.header.file_bytes();
    }
}

auto Scanner::scan_segment(std::size_t index) -> Result<void> {
    auto reader = TRY(SegmentReader::open(*log_.disk, path_of(index)));
    const auto& header = scan_.segments[index];
    if (header.base_offset != scan_.next_offset || header.closing_crc != scan_.chain)
        return damage(path_of(index).string(), 0, "segment does not follow the one before it");
    auto at = page_bytes;
    while (true) {
        const auto frame = TRY(reader.read(at, Depth::whole));
        std::string_view why = frame.why;
        if (frame.found == Found::frame) {
            if (frame.header.offset == scan_.next_offset &&
                frame.header.previous_crc == scan_.chain) {
                take_frame(index, at, frame.header);
                at += frame.header.file_bytes();
                continue;
            }
            why = "frame does not follow the one before it";
        }
        report_.bytes_scanned += at;
        return end_of_segment(reader, index, at, why);
    }
}

auto Scanner::take_frame(std::size_t index, std::uint64_t at, const FrameHeader& header) -> void {
    ++report_.frames;
    const auto end = at + header.file_bytes();
    scan_.next_offset = header.offset + 1;
    scan_.chain = header.chain;
    scan_.incarnation = std::max(scan_.incarnation, header.incarnation);
    scan_.position = end;
    if (internal(header.kind) || header.kind == DiskKind::marker)
        scan_.noted.push_back({index, at, header});
    if (!internal(header.kind)) scan_.readable_end = scan_.next_offset;
    if (!header.ends_transaction) {
        ++unfinished_frames_;
        unfinished_bytes_ += header.file_bytes();
        const auto end_segment = end_ ? end_->segment : scan_.first_scanned;
        if (index == end_segment) after_end_.push_back({at, end, header.group_first});
        return;
    }
    if (header.kind == DiskKind::changes || header.kind == DiskKind::position)
        scan_.last_rows = header;
    end_ = End{index, end, scan_.next_offset, scan_.chain, scan_.readable_end, scan_.noted.size()};
    after_end_.clear();
    unfinished_frames_ = 0;
    unfinished_bytes_ = 0;
}

// Behind the last valid frame of a segment: nothing, a torn write, or damage.
auto Scanner::end_of_segment(SegmentReader& reader, std::size_t index, std::uint64_t at,
                             std::string_view why) -> Result<void> {
    scan_.position = at;
    const auto data = TRY(reader.first_nonzero(at));
    if (!data) return {};
    if (why.empty()) why = "data behind the last frame";
    // The next segment was begun after everything in this one was durable.
    if (index + 1 < scan_.segments.size()) return damage(path_of(index).string(), at, why);
    TRY(refuse_if_acknowledged(reader, at, why));
    return cut_torn(index, at, TRY(reader.end_of_data(at)));
}

// A later frame of this segment that was written when the one missing here was already durable
// proves that this is no interrupted write.
auto Scanner::refuse_if_acknowledged(SegmentReader& reader, std::uint64_t at, std::string_view why)
    -> Result<void> {
    for (auto later = at; later + page_bytes <= reader.file_bytes(); later += page_bytes) {
        const auto header = TRY(reader.header_at(later));
        if (header && header->group_first > scan_.next_offset)
            return damage(reader.path().string(), at, why);
    }
    return {};
}

}  // namespace leat::log_queue
