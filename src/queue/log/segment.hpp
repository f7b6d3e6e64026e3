// Segment: one file of the log. Its name, its header page, and what can be said about a header
// page that was found on disk. FORMAT.md describes the bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace leat::log_queue {

inline constexpr std::uint64_t page_bytes = 4096;
inline constexpr std::uint32_t format_version = 2;

constexpr auto whole_pages(std::uint64_t bytes) -> std::uint64_t {
    return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

// The two frame sequences of a log. Each has its own segments, offsets and chain.
enum class SequenceKind : std::uint8_t { changes = 1, snapshot = 2 };
inline constexpr std::array<SequenceKind, 2> sequence_kinds = {SequenceKind::changes,
                                                               SequenceKind::snapshot};
// "changes", "snapshot".
auto to_string(SequenceKind kind) -> std::string_view;

using Uuid = std::array<char, 16>;
// 32 hexadecimal digits.
auto to_string(const Uuid& uuid) -> std::string;
auto parse_uuid(std::string_view text) -> std::optional<Uuid>;

struct SegmentHeader {
    Uuid log{};
    SequenceKind kind = SequenceKind::changes;
    std::uint64_t number = 0;
    std::uint64_t base_offset = 0;  // of its first frame
    std::uint64_t salt = 0;         // makes frames of another life of these disk blocks invalid
    std::uint64_t file_bytes = 0;   // header page included
    std::int64_t created_us = 0;    // wall clock: when it came into use
    std::uint32_t closing_crc = 0;  // chain value of the frame before base_offset; 0: none
};

auto encode(const SegmentHeader& header) -> std::string;

// What a header page turned out to be.
enum class PageState {
    valid,
    empty,    // all zero: prepared, not in use
    invalid,  // checksum or contents wrong
    newer,    // valid, of a format version that is not known here
};
struct DecodedPage {
    PageState state = PageState::invalid;
    SegmentHeader header;
    std::uint32_t version = 0;
};
auto decode_segment_header(std::string_view page) -> DecodedPage;

// What the checksums of the segment's frames start with: frames of other logs or of an earlier use
// of the same blocks never match.
auto frame_seed(const SegmentHeader& header) -> std::uint32_t;

// "changes-000000000000002a.seg"
auto segment_name(SequenceKind kind, std::uint64_t number) -> std::string;
struct SegmentName {
    SequenceKind kind = SequenceKind::changes;
    std::uint64_t number = 0;
};
auto parse_segment_name(std::string_view name) -> std::optional<SegmentName>;

auto all_zero(std::string_view bytes) -> bool;

// Damage that recovery must not step over.
auto damage(std::string_view file, std::uint64_t at, std::string_view what) -> Error;

}  // namespace leat::log_queue
