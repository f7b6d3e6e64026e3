// Where a lane begins: where its sink stands, if the queue still reaches back so far; otherwise with
// an image of all tables, one that is there or one that is asked for.
#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/failpoint.hpp"
#include "observe/log.hpp"
#include "pipeline/lane_attempt.hpp"

namespace leat {

namespace {

constexpr Duration look_every = std::chrono::milliseconds(50);

auto is_part(const std::set<TableName>& part, const std::set<TableName>& whole) -> bool {
    return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

}  // namespace

// False: stop was asked for before there was an image to begin with.
auto LaneAttempt::begin(const std::stop_token& stop) -> Result<bool> {
    const auto progress = TRY(sink_.open(lane_.options_.identity));
    TRY(shaper_.begin(!progress));
    if (!progress) return begin_with_image(stop);
    resume_from(*progress);
    if (!lane_.queue_.holds(progress->offsets) || is_cut_off()) {
        log(LogLevel::warning, "sink {}: the log does not hold what the target needs next; it is "
            "filled anew from an image", name());
        return begin_with_image(stop);
    }
    TRY(go_on());
    return true;
}

// Ahead the stream begins anew with an image that is gone.
auto LaneAttempt::is_cut_off() const -> bool {
    const auto generations = lane_.queue_.generations();
    return std::any_of(generations.begin(), generations.end(), [&](const GenerationState& each) {
        return each.purpose == Purpose::anew &&
               each.start.change_offset > pending_.offsets.change_offset &&
               !lane_.queue_.holds(each.start);
    });
}

auto LaneAttempt::resume_from(const Progress& progress) -> void {
    pending_ = progress;
    last_bare_commit_ = lane_.clock_.steady();
    lane_.status_.lane(lane_.options_.index,
                       [&](LaneStatus& status) { status.committed = progress; });
}

auto LaneAttempt::go_on() -> Result<void> {
    const auto& offsets = pending_.offsets;
    TRY(lane_.queue_.retain(name(), offsets));
    TRY(set_changed_aside());
    reader_ = TRY(lane_.queue_.reader(name(), offsets));
    for (const auto& rebuild : offsets.rebuilds)
        fillings_.push_back(TRY(open_filling(rebuild)));
    // Only now all is asked for that is wanted.
    publish_reached();
    return {};
}

// Tables that would come otherwise now than they came before (another SQL, or only wanted now) stand
// still until an image of them is in their place. Asks for that, and for what is missing besides:
// a request is forgotten when the process dies.
auto LaneAttempt::set_changed_aside() -> Result<void> {
    auto& offsets = pending_.offsets;
    std::set<TableName> changed;
    std::set<TableName> missing;
    for (const auto& table : lane_.queue_.tables()) {
        if (TRY(shaper_.outputs_of(table)).empty()) continue;
        if (!TRY(shaper_.is_current(table, pending_.incarnation))) changed.insert(table);
        const bool is_filled = std::any_of(
            offsets.rebuilds.begin(), offsets.rebuilds.end(),
            [&](const Rebuild& rebuild) { return rebuild.tables.contains(table); });
        const bool is_missing = offsets.absent.contains(table) && !is_filled;
        if ((changed.contains(table) || is_missing) && !is_coming({table})) missing.insert(table);
    }
    if (!missing.empty()) TRY(ask(missing));
    if (changed.empty()) return {};
    for (auto& rebuild : offsets.rebuilds)
        for (const auto& table : changed) rebuild.tables.erase(table);
    std::erase_if(offsets.rebuilds, [](const Rebuild& rebuild) { return rebuild.tables.empty(); });
    offsets.absent.insert(changed.begin(), changed.end());
    TRY(commit());
    failpoint("lane.set_aside");
    return shaper_.note_current(changed, incarnation());
}

auto LaneAttempt::start_at(const Place& place, const std::set<TableName>& tables) -> Result<void> {
    TRY(shaper_.note_current(tables, incarnation()));
    pending_.offsets = {};
    static_cast<Place&>(pending_.offsets) = place;
    fillings_.clear();
    known_.clear();
    shaper_.forget_versions();
    TRY(lane_.queue_.retain(name(), pending_.offsets));
    reader_ = TRY(lane_.queue_.reader(name(), place));
    publish_reached();
    return {};
}

// A generation of all tables that is there, or is being taken; if there is none, one is asked for.
auto LaneAttempt::begin_with_image(const std::stop_token& stop) -> Result<bool> {
    bool has_asked = false;
    std::mutex mutex;
    std::condition_variable_any wake;
    lane_.status_.lane(lane_.options_.index,
                       [](LaneStatus& status) { status.phase = Phase::snapshotting; });
    while (!stop.stop_requested()) {
        const auto generations = lane_.queue_.generations();
        for (auto each = generations.rbegin(); each != generations.rend(); ++each) {
            const bool is_lost = each->has_ended && each->whole.empty() && !each->tables.empty();
            if (!each->is_all || !is_for(each->sinks, name()) || is_lost) continue;
            if (!lane_.queue_.holds(each->start)) continue;
            TRY(start_at(each->start, {each->tables.begin(), each->tables.end()}));
            return true;
        }
        // Before the first generation of all, capture takes one by itself.
        if (!has_asked && !generations.empty()) TRY(ask({}));
        has_asked = has_asked || !generations.empty();
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, look_every, [] { return false; });
    }
    return false;
}

auto LaneAttempt::ask(const std::set<TableName>& tables) -> Result<void> {
    if (lane_.options_.requests == nullptr)
        return Error{Fault::config,
                     "sink " + name() + " needs an image of its tables, and this process does not "
                     "read the source",
                     "Run `leat run FILE` without --only deliver.", name(), Code::sink_needs_image};
    log(LogLevel::info, "sink {}: asks for an image of {}", name(),
        tables.empty() ? "all tables" : list_of(tables));
    lane_.options_.requests->add({{name()}, tables, {}, pending_.offsets.change_offset});
    return {};
}

// Another image of these tables is ahead in the change sequence.
auto LaneAttempt::is_coming(const std::set<TableName>& tables) const -> bool {
    const auto generations = lane_.queue_.generations();
    return std::any_of(generations.begin(), generations.end(), [&](const GenerationState& each) {
        const bool is_lost = each.has_ended && !each.missing().empty();
        return is_for(each.sinks, name()) && !is_lost &&
               each.start.change_offset > pending_.offsets.change_offset &&
               is_part(tables, {each.tables.begin(), each.tables.end()});
    });
}

// With a reader, unless the image is gone: then another one is asked for, whose begin takes the
// place of this rebuild.
auto LaneAttempt::open_filling(const Rebuild& rebuild) -> Result<Filling> {
    Filling filling;
    if (lane_.queue_.holds(rebuild)) {
        filling.reader = TRY(lane_.queue_.reader(name(), rebuild));
        filling.shaper = TRY(shaper_.sibling());
    } else if (!is_coming(rebuild.tables)) {
        TRY(ask(rebuild.tables));
    }
    return filling;
}

}  // namespace leat
