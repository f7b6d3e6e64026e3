// Reading with a window over the file, so that small frames do not cost a call each.
#include "queue/log/segment_reader.hpp"

#include <arrow/buffer.h>

#include <algorithm>
#include <string>

#include "queue/log/crc32c.hpp"

namespace leat::log_queue {

namespace {

constexpr std::uint64_t window_bytes = 256 << 10;
constexpr std::uint64_t sweep_bytes = 1 << 20;

}  // namespace

SegmentReader::SegmentReader(Path path, std::unique_ptr<File> file, std::uint64_t file_bytes)
    : path_(std::move(path)), file_(std::move(file)), file_bytes_(file_bytes) {}
SegmentReader::SegmentReader(SegmentReader&&) noexcept = default;
auto SegmentReader::operator=(SegmentReader&&) noexcept -> SegmentReader& = default;
SegmentReader::~SegmentReader() = default;

auto SegmentReader::open(Disk& disk, const Path& path) -> Result<SegmentReader> {
    std::unique_ptr<File> file;
    if (const int failed = disk.open(path, Access::read, file); failed != 0)
        return disk_error("opening a segment", path, failed);
    const auto size = file->size();
    if (size < 0) return disk_error("opening a segment", path, static_cast<int>(size));
    SegmentReader reader(path, std::move(file), static_cast<std::uint64_t>(size));
    TRY(reader.fill(0, page_bytes));
    const auto page = reader.window(0);
    reader.page_ = decode_segment_header(page.substr(0, page_bytes));
    reader.seed_ = frame_seed(reader.page_.header);
    return reader;
}

auto SegmentReader::window(std::uint64_t at) const -> std::string_view {
    if (!buffer_) return {};
    const std::string_view all(reinterpret_cast<const char*>(buffer_->data()),
                               static_cast<std::size_t>(buffer_->size()));
    if (at < window_at_ || at - window_at_ > all.size()) return {};
    return all.substr(at - window_at_);
}

auto SegmentReader::fill(std::uint64_t at, std::uint64_t bytes) -> Result<void> {
    bytes = at >= file_bytes_ ? 0 : std::min(bytes, file_bytes_ - at);
    // Batches may still refer to what was read before.
    if (!buffer_ || buffer_.use_count() > 1 ||
        static_cast<std::uint64_t>(buffer_->capacity()) < bytes) {
        buffer_.reset();
        auto made = arrow::AllocateResizableBuffer(static_cast<std::int64_t>(bytes));
        if (!made.ok())
            return Error{Fault::retry, "reading the log: " + made.status().message(),
                         "Give the process more memory.", path_.string()};
        buffer_ = std::shared_ptr<arrow::ResizableBuffer>(std::move(*made));
    } else if (!buffer_->Resize(static_cast<std::int64_t>(bytes), false).ok()) {
        return Error{Fault::fatal, "reading the log: buffer cannot be resized", "", path_.string()};
    }
    const std::span into(reinterpret_cast<char*>(buffer_->mutable_data()), bytes);
    const auto have = read_some(*file_, into, at);
    if (have < 0) return disk_error("reading a segment", path_, static_cast<int>(have));
    // A file that is shorter than it was reads as zeros and is then found to be damaged.
    std::fill(into.begin() + have, into.end(), '\0');
    window_at_ = at;
    return {};
}

auto SegmentReader::parse(std::uint64_t at, Depth depth, std::uint64_t& wanted) -> FoundFrame {
    wanted = 0;
    const auto bytes = window(at);
    if (at + page_bytes > file_bytes_) return {Found::end, {}, {}};
    if (bytes.size() < page_bytes) {
        wanted = page_bytes;
        return {};
    }
    if (all_zero(bytes.substr(0, page_bytes))) return {Found::end, {}, {}};
    auto header = decode_header(bytes, seed_, wanted);
    if (wanted > file_bytes_ - at) wanted = 0;
    if (!header) return {Found::bad, {}, "no valid frame header"};
    if (header->file_bytes() > file_bytes_ - at)
        return {Found::bad, *header, "frame reaches past the end of its file"};
    payload_at_ = at + header->header_bytes;
    payload_bytes_ = header->payload_bytes;
    if (depth == Depth::header) return {Found::frame, *std::move(header), {}};
    if (bytes.size() < header->file_bytes()) {
        wanted = header->file_bytes();
        return {};
    }
    const auto body =
        bytes.substr(header->header_bytes, header->file_bytes() - header->header_bytes);
    if (crc32c(body) != header->body_crc)
        return {Found::bad, *header, "frame contents do not match their checksum"};
    return {Found::frame, *std::move(header), {}};
}

auto SegmentReader::read(std::uint64_t at, Depth depth, std::uint64_t trusted_below)
    -> Result<FoundFrame> {
    std::uint64_t wanted = 0;
    auto frame = parse(at, depth, wanted);
    if (frame.found == Found::frame && frame.header.offset < trusted_below_) return frame;
    TRY(fill(at, std::max(window_bytes, wanted)));
    trusted_below_ = trusted_below;
    frame = parse(at, depth, wanted);
    while (wanted > 0) {
        TRY(fill(at, wanted));
        frame = parse(at, depth, wanted);
    }
    return frame;
}

auto SegmentReader::payload() const -> std::shared_ptr<arrow::Buffer> {
    return arrow::SliceBuffer(buffer_, static_cast<std::int64_t>(payload_at_ - window_at_),
                              static_cast<std::int64_t>(payload_bytes_));
}

auto SegmentReader::payload_view() const -> std::string_view {
    return window(payload_at_).substr(0, payload_bytes_);
}

auto SegmentReader::header_at(std::uint64_t at) -> Result<std::optional<FrameHeader>> {
    if (window(at).size() < page_bytes) TRY(fill(at, sweep_bytes));
    std::uint64_t wanted = 0;
    auto header = decode_header(window(at), seed_, wanted);
    if (wanted > 0 && wanted <= file_bytes_ - at) {
        TRY(fill(at, std::max(wanted, sweep_bytes)));
        header = decode_header(window(at), seed_, wanted);
    }
    return header;
}

auto SegmentReader::first_nonzero(std::uint64_t at) -> Result<std::optional<std::uint64_t>> {
    for (; at < file_bytes_; at += sweep_bytes) {
        TRY(fill(at, sweep_bytes));
        const auto bytes = window(at);
        if (all_zero(bytes)) continue;
        return std::optional(at + bytes.find_first_not_of('\0'));
    }
    return std::optional<std::uint64_t>();
}

auto SegmentReader::end_of_data(std::uint64_t at) -> Result<std::uint64_t> {
    std::uint64_t end = at;
    for (; at < file_bytes_; at += sweep_bytes) {
        TRY(fill(at, sweep_bytes));
        const auto bytes = window(at);
        if (!all_zero(bytes)) end = at + bytes.find_last_not_of('\0') + 1;
    }
    return end;
}

}  // namespace leat::log_queue
