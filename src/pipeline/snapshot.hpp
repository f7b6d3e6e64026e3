// Snapshot: takes images of tables through the Snapshots interface into the queue, one generation
// after the other, with the markers that tell lanes and later starts how far each came.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "pipeline/image_requests.hpp"
#include "pipeline/markers.hpp"
#include "pipeline/status.hpp"
#include "queue/queue.hpp"
#include "source/source.hpp"

namespace leat {

struct SnapshotParts {
    Source& source;
    Queue& queue;
    Status& status;
    ImageRequests& requests;
    Markers& markers;
    const Clock& clock;
    std::size_t workers = 2;
};

// Generations that were left unfinished and that this source reads on.
auto kept_images(const ResumePoint& point, const Source& source) -> std::set<Generation>;

// Tables of which every sink lacks an image: it was begun, and is begun once more.
auto without_image(const ResumePoint& point, const std::set<Generation>& kept)
    -> std::set<TableName>;

// Owned by one capture attempt.
class Snapshot {
public:
    explicit Snapshot(const SnapshotParts& parts) : parts_(parts) {}

    // On capture's thread, before anything flows. begin_anew(): the stream begins with an image of
    // all tables. plan(): it goes on; notes what earlier attempts left unfinished, which tables came
    // and went, and which are `stale`, so that run() takes the images that are due.
    auto begin_anew(const ResumePoint& point, const std::set<TableName>& tables,
                    const std::stop_token& stop) -> Result<void>;
    auto plan(const ResumePoint& point, const std::set<TableName>& tables,
              const std::set<TableName>& stale) -> Result<void>;

    // On a thread of its own, beside the reading of changes: takes what is due, then what is
    // requested, until stop is asked for.
    auto run(const std::stop_token& stop) -> Result<void>;

private:
    struct Job {
        Generation generation = 0;
        std::set<TableName> tables;
        std::optional<Position> point{};  // of one that is read on
    };

    auto end_unfinished(const ResumePoint& point, const std::set<Generation>& kept)
        -> Result<void>;
    auto begin_job(const Job& job, const std::stop_token& stop) -> Result<void>;
    auto begin_marker(Purpose purpose, std::set<std::string> sinks, std::set<TableName> tables)
        -> Frame;
    auto add_job(Purpose purpose, std::set<std::string> sinks, std::set<TableName> tables)
        -> Result<void>;
    auto append_marker(MarkerKind kind, Generation generation, const Position& position,
                       std::vector<TableName> tables) -> Result<void>;
    [[nodiscard]] auto tables_of(const ImageRequest& request) const -> Result<std::set<TableName>>;
    [[nodiscard]] auto is_answered(const ImageRequest& request, const TableName& table) const
        -> bool;
    auto take(const Job& job, const std::stop_token& stop) -> Result<void>;
    auto note_whole(const Job& job) -> Result<void>;
    auto read_all(const Job& job, const std::stop_token& stop) -> Result<void>;
    auto read_chunks(const Job& job, std::size_t worker, const std::stop_token& stop)
        -> Result<void>;
    auto append(const Frame& frame, const std::stop_token& stop) -> Result<void>;
    auto chunk_is_there(const Job& job, const TableName& table) -> Result<void>;
    auto show(const Job& job, bool is_taken) -> void;

    const SnapshotParts parts_;
    Snapshots* snapshots_ = nullptr;
    std::set<TableName> all_;  // that the stream carries
    Generation newest_ = 0;
    bool is_begun_ = false;    // the first job's point is taken already
    std::deque<Job> jobs_;
    Position point_;
    std::vector<Chunk> chunks_;
    Guarded<std::size_t> next_chunk_{0};
    Guarded<std::map<TableName, std::size_t>> chunks_left_;
};

}  // namespace leat
