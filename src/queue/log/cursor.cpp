// Reading across segments.
#include "queue/log/cursor.hpp"

#include <arrow/buffer.h>

#include <algorithm>

namespace leat::log_queue {

auto needs_rebuild(std::string why) -> Error {
    return Error{Fault::fatal, "needs rebuild: " + std::move(why),
                 "Start again: the sink is filled anew from the source, beside what it holds.", "log",
                 Code::log_rebuild};
}

auto Cursor::damaged(std::string_view why) const -> Error {
    return damage(reader_->path().string(), at_, why);
}

auto Cursor::enter(const Segment& segment) -> Result<void> {
    reader_ = TRY(SegmentReader::open(*log_.disk, log_.path_of(kind_, segment.number)));
    const auto& page = reader_->page();
    number_ = segment.number;
    at_ = page_bytes;
    dictionary_.clear();
    if (page.state != PageState::valid || page.header.log != log_.uuid ||
        page.header.number != segment.number || page.header.base_offset != segment.base_offset) {
        at_ = 0;
        return damaged("invalid segment header");
    }
    return {};
}

// The segment that holds the wanted frame, and in it everything ahead of that frame.
auto Cursor::find() -> Result<void> {
    std::optional<Segment> segment;
    {
        const std::lock_guard lock(log_.mutex);
        for (const auto& candidate : log_.state.of(kind_).segments)
            if (candidate.base_offset <= offset_) segment = candidate;
    }
    if (!segment)
        return needs_rebuild("the log no longer holds " + std::string(to_string(kind_)) +
                             " from offset " + std::to_string(offset_));
    TRY(enter(*segment));
    chain_ = reader_->page().header.closing_crc;
    for (auto at_offset = segment->base_offset; at_offset < offset_; ++at_offset) {
        auto frame = TRY(read(Depth::header));
        if (frame.found == Found::frame && frame.header.kind == DiskKind::schemas) {
            frame = TRY(read(Depth::whole));
            if (frame.found == Found::frame)
                TRY(decode_schemas(reader_->payload_view(), dictionary_));
        }
        if (frame.found != Found::frame) return damaged(frame.why);
        if (frame.header.offset != at_offset || frame.header.previous_crc != chain_)
            return damaged("frame does not follow the one before it");
        chain_ = frame.header.chain;
        at_ += frame.header.file_bytes();
    }
    return {};
}

// Goes on into the next segment when it begins here.
auto Cursor::follow() -> Result<void> {
    while (true) {
        std::optional<Segment> next;
        {
            const std::lock_guard lock(log_.mutex);
            for (const auto& candidate : log_.state.of(kind_).segments)
                if (candidate.number == number_ + 1) next = candidate;
        }
        if (!next || next->base_offset != offset_) return {};
        TRY(enter(*next));
        if (reader_->page().header.closing_crc != chain_)
            return damaged("segment does not follow the one before it");
    }
}

auto Cursor::read(Depth depth) -> Result<FoundFrame> {
    auto frame = TRY(reader_->read(at_, depth, visible_end_));
    if (frame.found == Found::end) {
        frame.found = Found::bad;
        frame.why = "frame missing";
    }
    return frame;
}

auto Cursor::peek() -> Result<std::optional<FrameHeader>> {
    if (shown_) return shown_;
    while (true) {
        {
            const std::lock_guard lock(log_.mutex);
            if (log_.state.broken) return *log_.state.broken;
            visible_end_ = log_.state.of(kind_).visible_end;
        }
        if (offset_ >= visible_end_) return std::optional<FrameHeader>();
        if (!reader_) TRY(find());
        TRY(follow());
        const auto frame = TRY(read(Depth::whole));
        if (frame.found != Found::frame) return damaged(frame.why);
        const auto& header = frame.header;
        if (header.offset != offset_ || header.previous_crc != chain_)
            return damaged("frame does not follow the one before it");
        shown_ = header;
        if (!internal(header.kind)) return shown_;
        if (header.kind == DiskKind::schemas)
            TRY(decode_schemas(reader_->payload_view(), dictionary_));
        skip();
    }
}

auto Cursor::skip() -> void {
    chain_ = shown_->chain;
    at_ += shown_->file_bytes();
    ++offset_;
    shown_.reset();
}

auto Cursor::take() -> Result<Frame> {
    const auto& header = *shown_;
    Frame frame;
    frame.kind = static_cast<FrameKind>(header.kind);
    frame.first = header.first;
    frame.last = header.last;
    frame.ends_transaction = header.ends_transaction;
    frame.commit_time_us = header.commit_time_us;
    frame.generation = header.generation;
    const auto payload = reader_->payload();
    if (header.codec != 0) return damaged("frame under an unknown codec");
    switch (frame.kind) {
        case FrameKind::changes:
        case FrameKind::snapshot: frame.batches = TRY(decode_batches(payload, dictionary_)); break;
        case FrameKind::position: break;
        case FrameKind::marker: frame.marker = TRY(decode_marker(reader_->payload_view())); break;
        default: return damaged("frame of an unknown kind");
    }
    if (static_cast<std::uint64_t>(frame.rows()) != header.rows)
        return damaged("frame with another number of rows than it says");
    skip();
    return frame;
}

}  // namespace leat::log_queue
