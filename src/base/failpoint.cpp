// The registry behind failpoint.hpp: names, counters, and the kill.
#include "base/failpoint.hpp"

#include <array>
#include <charconv>
#include <csignal>
#include <mutex>

#include "base/check.hpp"

namespace leat {

namespace {

constexpr std::array<std::string_view, 31> names = {
    "capture.after_begin",        // generation recorded, slot not yet made
    "capture.completed",          // rows were completed by a lookup, nothing written
    "capture.before_append",      // a frame was read, nothing written
    "capture.after_append",       // frame durable, not yet confirmed upstream
    "snapshot.begin",             // slot and exported snapshot exist
    "snapshot.chunk_read",        // a chunk was read, not yet appended
    "snapshot.chunk_appended",    // a chunk is durable
    "snapshot.end",               // all chunks durable, generation not yet complete
    "spill.write",                // part of a streamed transaction went to its spill file
    "spill.commit",               // a spilled transaction starts to enter the log
    "mongodb.looked_up",          // documents were read for updates that came without, no row made
    "mongodb.shapes_saved",       // columns that have come are noted, their rows not handed out
    "log.frame_written",          // frame written, not yet synced
    "log.frame_synced",           // frame synced, proof not yet given
    "log.segment_switch",         // next segment exists, not yet used
    "log.preallocate",            // next segment half made
    "log.cut_tail",               // between steps of cutting an unfinished transaction
    "log.retention_drop",         // between deletions of old segments
    "lane.letters_synced",        // dead letters of the epoch on disk, epoch not committed
    "lane.before_commit",         // epoch written, not committed
    "lane.after_commit",          // epoch committed, not released
    "lane.after_release",         // released
    "lane.set_aside",             // tables that would come otherwise stand still, their notes are old
    "lane.rebuild_fed",           // a frame of tables that are filled aside was written
    "lane.before_swap",           // asked to swap filled tables in, not committed
    "duckdb.staged",              // epoch applied inside the transaction
    "duckdb.before_commit",       // progress written inside the transaction
    "duckdb.after_commit",        // committed
    "duckdb.before_checkpoint",   // about to checkpoint
    "duckdb.after_checkpoint",    // checkpointed, not yet reported
    "duckdb.evolve",              // schema changed inside the transaction
};

std::mutex mutex;
std::array<long, names.size()> remaining{};  // hits until the kill; 0: not armed

auto index_of(std::string_view name) -> std::size_t {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return i;
    return names.size();
}

}  // namespace

namespace detail {

std::atomic<bool> failpoints_armed{false};

auto hit_failpoint(std::string_view name) -> void {
    const auto index = index_of(name);
    CHECK(index < names.size());
    const std::lock_guard lock(mutex);
    if (remaining[index] > 0 && --remaining[index] == 0) std::raise(SIGKILL);
}

}  // namespace detail

auto failpoint_names() -> std::span<const std::string_view> { return names; }

auto arm_failpoints(std::string_view specification) -> Result<void> {
    while (!specification.empty()) {
        const auto comma = specification.find(',');
        const auto item = specification.substr(0, comma);
        specification.remove_prefix(comma == std::string_view::npos ? specification.size() : comma + 1);
        const auto equals = item.find('=');
        const auto index = index_of(item.substr(0, equals));
        long hits = 1;
        if (equals != std::string_view::npos) {
            const auto* end = item.data() + item.size();
            const auto [parsed, failed] = std::from_chars(item.data() + equals + 1, end, hits);
            if (failed != std::errc{} || parsed != end) hits = 0;
        }
        if (index == names.size() || hits < 1)
            return Error{Fault::config, "unknown failpoint: " + std::string(item),
                         "Use a name that `leat version --json` lists, as name=hits.",
                         "LEAT_FAILPOINTS", Code::run_argument};
        remaining[index] = hits;
        detail::failpoints_armed.store(true);
    }
    return {};
}

}  // namespace leat
