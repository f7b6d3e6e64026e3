// Sequence: the writing end of one frame sequence. Gathers what several threads append, writes it
// behind the last frame, syncs once, and makes it visible.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "queue/log/log_state.hpp"
#include "queue/log/payload.hpp"

namespace leat::log_queue {

// A frame on its way to disk. Made by the appending thread, which then waits; the header's place
// (offset, chain) is filled in by whoever writes it.
struct Outgoing {
    FrameHeader header;
    Payload payload;
    std::vector<std::uint32_t> schemas;  // that its batches are under
    std::optional<Marker> marker;
    std::optional<std::uint64_t> recorded;  // the version of the state that it tells
    bool carry = false;                        // stands for the schemas in force and the state
    bool done = false;
    Result<void> outcome;

    // Header size and checksum of payload and padding. Once, before it is handed over.
    auto seal() -> void;
    [[nodiscard]] auto padding() const -> std::uint64_t {
        return header.file_bytes() - header.header_bytes - header.payload_bytes;
    }
};

// Where writing goes on, as recovery found it.
struct Tail {
    std::uint64_t position = 0;  // in the last segment in use
    std::uint64_t next_offset = 0;
    std::uint32_t chain = 0;
    std::set<std::uint32_t> declared;      // schemas that the segment holds
    std::optional<SegmentHeader> segment;  // none: the sequence has no segment yet
};

class Sequence {
public:
    Sequence(Log& log, SequenceKind kind) : log_(log), kind_(kind) {}

    // Again after each recovery. No append() may run.
    auto open(Tail tail) -> Result<void>;

    // Returns when the frame is durable and visible, or why it is not. Any thread.
    auto append(Outgoing& frame, const std::stop_token& stop) -> Result<void>;

    // Not after a failure of the log.
    auto close() -> Result<void>;

private:
    struct Run;

    auto commit(std::span<Outgoing*> group, const std::stop_token& stop) -> void;
    auto write_run(std::span<Outgoing*> group, const std::stop_token& stop) -> Result<std::size_t>;
    auto gather(Run& run, std::span<Outgoing*> group) -> void;
    auto bytes_in_new_segment(const Outgoing& frame) -> std::uint64_t;
    auto state_frame(bool ends) -> Outgoing;
    auto schemas_frame(const std::vector<std::uint32_t>& numbers) -> Outgoing;
    auto undeclared(const std::vector<std::uint32_t>& numbers, const Run& run) const
        -> std::vector<std::uint32_t>;
    auto opening(Run& run) -> void;
    auto next_segment(std::uint64_t bytes, const std::stop_token& stop) -> Result<void>;
    auto start_segment(const Prepared& prepared, const std::stop_token& stop) -> Result<void>;
    auto wait_for_room(std::string why, const std::stop_token& stop) -> Result<void>;
    auto write(Run& run, const std::stop_token& stop) -> Result<void>;
    auto clean_tail() -> int;
    auto publish(const Run& run) -> void;

    Log& log_;
    const SequenceKind kind_;

    // Group commit: one of the waiting threads leads, under its own mutex.
    std::mutex mutex_;
    std::condition_variable_any turn_;
    std::deque<Outgoing*> waiting_;
    bool led_ = false;

    // The leader's.
    std::unique_ptr<File> file_;
    SegmentHeader segment_;
    std::uint32_t seed_ = 0;
    std::uint64_t position_ = 0;
    std::uint64_t dirty_until_ = 0;  // bytes of a write that was given up reach this far
    std::uint64_t next_offset_ = 0;
    std::uint32_t chain_ = 0;
    bool in_transaction_ = false;
    std::set<std::uint32_t> declared_;
};

}  // namespace leat::log_queue
