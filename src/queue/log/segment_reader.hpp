// SegmentReader: the frames of one segment file, checked one by one. Used by recovery, by lanes and
// by inspection. Owned by one thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "queue/log/disk.hpp"
#include "queue/log/frame_codec.hpp"
#include "queue/log/segment.hpp"

namespace arrow {
class Buffer;
class ResizableBuffer;
}  // namespace arrow

namespace leat::log_queue {

enum class Found {
    frame,
    end,  // zeros, or the end of the file
    bad,  // something that is not a valid frame of this segment
};

struct FoundFrame {
    Found found = Found::bad;
    FrameHeader header;
    std::string_view why;  // what is wrong with a bad one
};

enum class Depth { header, whole };

class SegmentReader {
public:
    static auto open(Disk& disk, const Path& path) -> Result<SegmentReader>;
    SegmentReader(SegmentReader&&) noexcept;
    auto operator=(SegmentReader&&) noexcept -> SegmentReader&;
    ~SegmentReader();

    [[nodiscard]] auto page() const -> const DecodedPage& { return page_; }
    [[nodiscard]] auto file_bytes() const -> std::uint64_t { return file_bytes_; }
    [[nodiscard]] auto path() const -> const Path& { return path_; }

    // The frame at a place. Bytes that were read before the frame at `trusted_below` was durable
    // are not used for it: it may have been written since.
    auto read(std::uint64_t at, Depth depth,
              std::uint64_t trusted_below = std::numeric_limits<std::uint64_t>::max())
        -> Result<FoundFrame>;
    // Payload of the frame that was read last, as a whole. Stays valid as long as it is held.
    [[nodiscard]] auto payload() const -> std::shared_ptr<arrow::Buffer>;
    [[nodiscard]] auto payload_view() const -> std::string_view;

    // A valid header at this place, whatever is behind it.
    auto header_at(std::uint64_t at) -> Result<std::optional<FrameHeader>>;
    // The first byte at or after `at` that is not zero.
    auto first_nonzero(std::uint64_t at) -> Result<std::optional<std::uint64_t>>;
    // The byte after the last one that is not zero, or `at`.
    auto end_of_data(std::uint64_t at) -> Result<std::uint64_t>;

private:
    SegmentReader(Path path, std::unique_ptr<File> file, std::uint64_t file_bytes);

    auto fill(std::uint64_t at, std::uint64_t bytes) -> Result<void>;
    auto parse(std::uint64_t at, Depth depth, std::uint64_t& wanted) -> FoundFrame;
    [[nodiscard]] auto window(std::uint64_t at) const -> std::string_view;

    Path path_;
    std::unique_ptr<File> file_;
    std::uint64_t file_bytes_ = 0;
    DecodedPage page_;
    std::uint32_t seed_ = 0;
    std::shared_ptr<arrow::ResizableBuffer> buffer_;
    std::uint64_t window_at_ = 0;
    std::uint64_t trusted_below_ = 0;
    std::uint64_t payload_at_ = 0;
    std::uint64_t payload_bytes_ = 0;
};

}  // namespace leat::log_queue
