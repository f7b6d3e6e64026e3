// Snapshot: takes one generation of images through the Snapshots interface into the queue, with
// the markers that tell lanes and later starts how far it came.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>

#include "pipeline/status.hpp"
#include "queue/queue.hpp"
#include "source/source.hpp"

namespace leat {

// Owned by one capture attempt. begin() on its thread, then take() on another beside the reading
// of changes.
class Snapshot {
public:
    Snapshot(Source& source, Queue& queue, Status& status, std::size_t workers)
        : source_(source), queue_(queue), status_(status), workers_(workers) {}

    // `newest`: the last generation the queue knows; one without an end is aborted first, and what
    // it left at the source is made anew. Records the new generation before the point is taken.
    auto begin(const std::optional<GenerationState>& newest, const std::stop_token& stop)
        -> Result<void>;

    // Reads all chunks with parallel workers and appends them; marks the generation complete.
    auto take(const std::stop_token& stop) -> Result<void>;

private:
    auto append_marker(MarkerKind kind, const Position& position) -> Result<void>;
    auto read_chunks(std::size_t worker, const std::stop_token& stop) -> Result<void>;

    Source& source_;
    Queue& queue_;
    Status& status_;
    const std::size_t workers_;
    Snapshots* snapshots_ = nullptr;
    Generation generation_ = 0;
    Position point_;
    std::vector<Chunk> chunks_;
    Guarded<std::size_t> next_chunk_{0};
};

}  // namespace leat
