// Scan: reads one frame sequence from its files as they were found, tells a torn tail from damage,
// and cuts what may not stay. Before anything is written; the holder of the lock calls it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "queue/log/log_state.hpp"
#include "queue/log/segment_reader.hpp"

namespace leat::log_queue {

// What opening a log found and did. The engine prints it.
struct RecoveryReport {
    std::uint64_t segments = 0;
    std::uint64_t frames = 0;  // valid frames that were checked and kept
    std::uint64_t bytes_scanned = 0;
    std::uint64_t torn_bytes = 0;         // cut: a write that was interrupted
    std::uint64_t unfinished_frames = 0;  // cut: a transaction whose end never came
    std::uint64_t unfinished_bytes = 0;
    double seconds = 0;
};

// A frame that matters beyond its rows: a marker, schemas or state.
struct Noted {
    std::size_t segment = 0;  // index
    std::uint64_t at = 0;
    FrameHeader header;
};

struct Scan {
    std::vector<SegmentHeader> segments;
    std::optional<Prepared> prepared;
    std::size_t first_scanned = 0;  // segments before were checked by their headers only
    std::uint64_t position = 0;     // behind the last frame, in the last segment
    std::uint64_t next_offset = 0;
    std::uint32_t chain = 0;
    std::uint64_t readable_end = 0;  // behind the last frame that lanes are given
    Incarnation incarnation = 0;     // highest
    std::vector<Noted> noted;
    std::optional<FrameHeader> last_rows;  // last changes or position frame that ends a transaction
};

struct ScanLimits {
    // How much of the sequence's newest end is read and checked in full.
    std::uint64_t verify_bytes = 1ULL << 30;
};

class Scanner {
public:
    Scanner(Log& log, SequenceKind kind, RecoveryReport& report)
        : log_(log), kind_(kind), report_(report) {}

    // Leaves the sequence with whole transactions and zeros behind them, all of it durable.
    auto run(const ScanLimits& limits) -> Result<Scan>;

private:
    // Where the last transaction ends, and what that cut needs.
    struct End {
        std::size_t segment = 0;
        std::uint64_t position = 0;
        std::uint64_t next_offset = 0;
        std::uint32_t chain = 0;
        std::uint64_t readable_end = 0;
        std::size_t noted = 0;
    };
    struct Extent {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        std::uint64_t group_first = 0;
    };

    auto find_segments() -> Result<void>;
    auto take_segment(std::uint64_t number) -> Result<void>;
    auto drop_file(std::uint64_t number) -> Result<void>;
    auto choose_start(std::uint64_t verify_bytes) -> Result<void>;
    auto opens_between_transactions(std::size_t index) -> Result<bool>;
    auto scan_segment(std::size_t index) -> Result<void>;
    auto take_frame(std::size_t index, std::uint64_t at, const FrameHeader& header) -> void;
    auto end_of_segment(SegmentReader& reader, std::size_t index, std::uint64_t at,
                        std::string_view why) -> Result<void>;
    auto refuse_if_acknowledged(SegmentReader& reader, std::uint64_t at, std::string_view why)
        -> Result<void>;
    auto cut_torn(std::size_t index, std::uint64_t begin, std::uint64_t end) -> Result<void>;
    auto cut_unfinished() -> Result<void>;
    auto zero(std::size_t index, std::uint64_t begin, std::uint64_t end) -> Result<void>;
    [[nodiscard]] auto path_of(std::size_t index) const -> Path {
        return log_.path_of(kind_, scan_.segments[index].number);
    }

    Log& log_;
    const SequenceKind kind_;
    RecoveryReport& report_;
    Scan scan_;
    std::optional<End> end_;
    std::vector<Extent> after_end_;  // frames behind it in its own segment
    std::uint64_t unfinished_frames_ = 0;
    std::uint64_t unfinished_bytes_ = 0;
};

}  // namespace leat::log_queue
