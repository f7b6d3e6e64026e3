// The rules of retention and of the size cap; FORMAT.md and DESIGN §2, §6 say why.
#include "queue/log/retention.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/failpoint.hpp"
#include "queue/log/cursor.hpp"

namespace leat::log_queue {

namespace {

constexpr auto recheck = std::chrono::milliseconds(500);
constexpr auto everything = std::numeric_limits<std::uint64_t>::max();

auto needed_changes(const Offsets& offsets) -> std::uint64_t {
    auto needed = offsets.change_offset;
    for (const auto& rebuild : offsets.rebuilds) needed = std::min(needed, rebuild.change_offset);
    return needed;
}

// The first change frame that some lane, `without` left out, may still ask for.
auto needed_changes(const LogState& state, std::string_view without = "") -> std::uint64_t {
    auto needed = everything;
    for (const auto& [lane, released] : state.released)
        if (lane != without && !state.dropped.contains(lane))
            needed = std::min(needed, released ? needed_changes(*released) : 0);
    return needed;
}

auto needed_snapshot(const Offsets& offsets) -> std::uint64_t {
    auto needed = offsets.image_complete ? everything : offsets.snapshot_offset;
    for (const auto& rebuild : offsets.rebuilds)
        if (!rebuild.image_complete) needed = std::min(needed, rebuild.snapshot_offset);
    return needed;
}

// The first frame of any image that some lane may still ask for, also of one whose begin it has not
// met yet.
auto needed_snapshot(const LogState& state) -> std::uint64_t {
    auto needed = everything;
    for (const auto& [lane, released] : state.released) {
        if (state.dropped.contains(lane)) continue;
        needed = std::min(needed, released ? needed_snapshot(*released) : 0);
        if (!released) continue;
        for (const auto& record : state.current.generations)
            if (record.begin_offset >= released->change_offset)
                needed = std::min(needed, record.snapshot_offset);
    }
    return needed;
}

// The lane that alone keeps segments back, if another one would be left. With the lock held.
auto slowest_lane(const LogState& state) -> std::optional<std::string> {
    const auto& segments = state.of(SequenceKind::changes).segments;
    if (state.released.size() < state.dropped.size() + 2 || segments.size() < 2)
        return std::nullopt;
    for (const auto& [lane, released] : state.released) {
        if (state.dropped.contains(lane)) continue;
        const auto without = needed_changes(state, lane);
        if (needed_changes(state) < segments[1].base_offset && without >= segments[1].base_offset)
            return lane;
    }
    return std::nullopt;
}

auto used_bytes(const LogState& state) -> std::uint64_t {
    std::uint64_t bytes = 0;
    for (const auto kind : sequence_kinds) bytes += state.of(kind).used_bytes();
    return bytes;
}

auto snapshot_share(const Log& log) -> std::uint64_t {
    return static_cast<std::uint64_t>(static_cast<double>(log.config.max_bytes.count) *
                                      log.config.snapshot_share);
}

// The cap must not be reached while released segments are still kept for a rewind.
auto rewind_bytes(const Log& log) -> std::uint64_t {
    return std::min(log.config.rewind_bytes.count, log.config.max_bytes.count / 2);
}

// The number of the oldest segment if it may go. With the lock held.
auto droppable(const Log& log, SequenceKind kind, std::uint64_t incoming)
    -> std::optional<std::uint64_t> {
    const auto& state = log.state;
    const auto& sequence = state.of(kind);
    if (sequence.segments.size() < 2) return std::nullopt;
    const auto& next = sequence.segments[1];
    const auto end = next.base_offset;
    if (kind == SequenceKind::changes) {
        // Recovery needs the last end of a transaction.
        if (end > needed_changes(state) || end + 1 > sequence.visible_end) return std::nullopt;
    } else {
        // What the image's markers say must stand in the change sequence first, behind any cut.
        const bool recorded = state.recorded == state.current.version &&
                              state.recorded_at < state.of(SequenceKind::changes).visible_end;
        if (end > needed_snapshot(state) || !recorded) return std::nullopt;
        if (sequence.used_bytes() + incoming > snapshot_share(log))
            return sequence.segments.front().number;
    }
    const auto age = std::chrono::microseconds(log.clock.wall_us() - next.created_us);
    const bool in_window =
        age < log.config.rewind_time && used_bytes(state) + incoming <= rewind_bytes(log);
    if (in_window) return std::nullopt;
    return sequence.segments.front().number;
}

// Why a frame has to wait; empty: it need not. With the lock held.
auto obstacle(const Log& log, SequenceKind kind, std::uint64_t bytes) -> std::string {
    const auto& state = log.state;
    const auto& sequence = state.of(kind);
    const auto image = state.of(SequenceKind::snapshot).used_bytes();
    if (sequence.segments.size() < 2) return "";
    if (kind == SequenceKind::snapshot) {
        if (image + bytes <= snapshot_share(log)) return "";
        return "log has no room for more of the image: " + std::to_string(image) +
               " bytes wait for the sinks";
    }
    if (sequence.in_transaction) return "";
    // An image that is being taken keeps its share, else it could never end.
    const auto& generations = state.current.generations;
    const bool running = std::any_of(generations.begin(), generations.end(),
                                     [](const auto& record) { return !record.has_ended; });
    const auto reserved = running ? std::max(image, snapshot_share(log)) : image;
    if (sequence.used_bytes() + reserved + bytes <= log.config.max_bytes.count) return "";
    return "log is at its size limit: " + std::to_string(used_bytes(state)) +
           " bytes wait for the sinks";
}

}  // namespace

auto drop_released(Log& log, SequenceKind kind, std::uint64_t incoming) -> Result<void> {
    {
        // Mostly there is nothing to do, and `files` may be held for as long as a file is made.
        const std::lock_guard lock(log.mutex);
        if (!droppable(log, kind, incoming)) return {};
    }
    const std::lock_guard files(log.files);
    while (true) {
        std::optional<std::uint64_t> number;
        {
            const std::lock_guard lock(log.mutex);
            number = droppable(log, kind, incoming);
            if (!number) return {};
            auto& segments = log.state.of(kind).segments;
            segments.erase(segments.begin());
            if (kind == SequenceKind::changes)
                forget_before(segments.front().base_offset, log.state.current);
            log.changed_state();
        }
        failpoint("log.retention_drop");
        // One by one, so that no crash leaves a gap between segments.
        const auto path = log.path_of(kind, *number);
        if (const int failed = log.disk->remove(path); failed != 0) {
            auto error = disk_error("removing a segment", path, failed);
            error.fault = Fault::fatal;
            return log.break_down(std::move(error));
        }
        auto synced = sync_folder(*log.disk, "removing a segment", log.config.path);
        if (!synced) return log.break_down(std::move(synced).error());
    }
}

auto wait_for_room(Log& log, SequenceKind kind, std::uint64_t bytes, const std::stop_token& stop)
    -> Result<void> {
    const auto who = std::string(to_string(kind)) + " at the cap";
    while (true) {
        {
            std::unique_lock lock(log.mutex);
            if (log.state.broken) return *log.state.broken;
            if (obstacle(log, kind, bytes).empty()) {
                if (log.state.pressure.erase(who) > 0) log.changed_state();
                return {};
            }
        }
        TRY(drop_released(log, kind, bytes));
        std::unique_lock lock(log.mutex);
        auto why = obstacle(log, kind, bytes);
        if (why.empty()) continue;
        if (log.config.on_log_full == OnLogFull::drop_lane && kind == SequenceKind::changes) {
            if (auto lane = slowest_lane(log.state)) {
                log.state.dropped.insert(*std::move(lane));
                log.changed_state();
                continue;
            }
        }
        if (stop.stop_requested()) return stopped();
        const auto seen = log.state.released;
        log.state.pressure[who] = std::move(why);
        log.changed_state();
        log.changed.wait_for(lock, stop, recheck,
                             [&] { return log.state.released != seen || log.state.broken; });
        if (stop.stop_requested()) return stopped();
    }
}

auto held_bytes(const Log& log) -> std::uint64_t {
    const auto& state = log.state;
    const auto& changes = state.of(SequenceKind::changes);
    const auto needed = needed_changes(state);
    auto bytes = changes.written_bytes + state.of(SequenceKind::snapshot).used_bytes();
    for (std::size_t i = 0; i + 1 < changes.segments.size(); ++i)
        if (changes.segments[i + 1].base_offset > needed) bytes += changes.segments[i].file_bytes;
    return bytes;
}

auto refuse_dropped(Log& log, const std::string& lane) -> Result<void> {
    const std::lock_guard lock(log.mutex);
    if (!log.state.dropped.contains(lane)) return {};
    return needs_rebuild("the log was full and this sink the slowest (on_log_full: drop_lane)");
}

auto earlier(const Offsets& a, const Offsets& b) -> const Offsets& {
    const auto rank = [](const Offsets& offsets) {
        return std::tuple(needed_changes(offsets), needed_snapshot(offsets), offsets.change_offset);
    };
    return rank(a) <= rank(b) ? a : b;
}

}  // namespace leat::log_queue
