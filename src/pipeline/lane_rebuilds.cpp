// What a lane does about generations: markers it meets, tables it fills beside the live ones, and
// the commit in which the two meet.
#include <algorithm>

#include "base/failpoint.hpp"
#include "observe/log.hpp"
#include "pipeline/lane_attempt.hpp"

namespace leat {

namespace {

// Frames of one rebuild between two looks at what the live tables get.
constexpr int frames_at_once = 8;

}  // namespace

auto list_of(const std::set<TableName>& tables) -> std::string {
    constexpr std::size_t named_max = 5;
    std::string list;
    std::size_t named = 0;
    for (const auto& table : tables) {
        if (named++ == named_max) break;
        list += (list.empty() ? "" : ", ") + to_string(table);
    }
    const auto more = tables.size() - std::min(tables.size(), named_max);
    return more == 0 ? list : list + " and " + std::to_string(more) + " more";
}

// A marker on the lane's own way: in the image it begins with, or between changes.
auto LaneAttempt::meet(const Marker& marker) -> Result<void> {
    auto& offsets = pending_.offsets;
    const std::set<TableName> tables(marker.tables.begin(), marker.tables.end());
    switch (marker.kind) {
        case MarkerKind::point:
        case MarkerKind::table: return {};
        case MarkerKind::end:
            // Given up; a generation of their own follows.
            offsets.absent.insert(tables.begin(), tables.end());
            pending_.position = std::max(pending_.position, offsets.consistent_point);
            return {};
        case MarkerKind::left: leave(tables); return {};
        case MarkerKind::begin: break;
    }
    if (!is_for(marker.sinks, name())) return {};
    if (marker.purpose == Purpose::anew) TRY(begin_anew(marker, tables));
    else TRY(add_rebuild(marker));
    // What was handed over for a copy that makes way must find it.
    return commit_rows();
}

// The stream goes on elsewhere: what was fed until here stands still until the new image is there.
auto LaneAttempt::begin_anew(const Marker& marker, const std::set<TableName>& tables)
    -> Result<void> {
    TRY(shaper_.flush(put_));
    Place place;
    place.generation = marker.generation;
    place.snapshot_offset = marker.snapshot_offset;
    place.change_offset = pending_.offsets.change_offset;
    return start_at(place, tables);
}

auto LaneAttempt::add_rebuild(const Marker& marker) -> Result<void> {
    auto& offsets = pending_.offsets;
    Rebuild rebuild;
    rebuild.generation = marker.generation;
    rebuild.snapshot_offset = marker.snapshot_offset;
    rebuild.change_offset = offsets.change_offset;
    rebuild.tables.insert(marker.tables.begin(), marker.tables.end());
    TRY(shaper_.note_current(rebuild.tables, incarnation()));
    // The newest image of a table is the one that counts, also while the first is not in its place.
    for (auto& older : offsets.rebuilds)
        for (const auto& table : rebuild.tables) older.tables.erase(table);
    forget_rebuilds_without_tables();
    if (marker.purpose == Purpose::added || !offsets.is_swapped_in)
        offsets.absent.insert(rebuild.tables.begin(), rebuild.tables.end());
    fillings_.push_back(TRY(open_filling(rebuild)));
    offsets.rebuilds.push_back(std::move(rebuild));
    return {};
}

auto LaneAttempt::leave(const std::set<TableName>& tables) -> void {
    auto& offsets = pending_.offsets;
    offsets.absent.insert(tables.begin(), tables.end());
    for (auto& rebuild : offsets.rebuilds)
        for (const auto& table : tables) rebuild.tables.erase(table);
    forget_rebuilds_without_tables();
}

auto LaneAttempt::forget_rebuild(std::size_t index) -> void {
    auto& rebuilds = pending_.offsets.rebuilds;
    rebuilds.erase(rebuilds.begin() + static_cast<std::ptrdiff_t>(index));
    fillings_.erase(fillings_.begin() + static_cast<std::ptrdiff_t>(index));
}

auto LaneAttempt::forget_rebuilds_without_tables() -> void {
    const auto& rebuilds = pending_.offsets.rebuilds;
    for (std::size_t i = rebuilds.size(); i-- > 0;)
        if (rebuilds[i].tables.empty()) forget_rebuild(i);
}

// True: there was something for at least one of them.
auto LaneAttempt::feed_rebuilds() -> Result<bool> {
    bool fed = false;
    for (std::size_t i = 0; i < fillings_.size(); ++i)
        for (int frame = 0; frame < frames_at_once && TRY(feed_rebuild(i)); ++frame) fed = true;
    forget_rebuilds_without_tables();
    return fed;
}

// One frame: of the image, or of the changes behind it up to where the live tables are.
auto LaneAttempt::feed_rebuild(std::size_t index) -> Result<bool> {
    auto& rebuild = pending_.offsets.rebuilds[index];
    auto& filling = fillings_[index];
    const bool has_met =
        rebuild.image_complete && rebuild.change_offset >= pending_.offsets.change_offset;
    if (!filling.reader || has_met || rebuild.tables.empty()) return false;
    const auto delivery = TRY(filling.reader->next({}, Duration::zero()));
    if (!delivery) return false;
    const auto& frame = delivery->frame;
    std::int64_t rows = 0;
    for (const auto& batch : frame.batches)
        if (rebuild.tables.contains(batch.schema->name))
            rows += TRY(shape(batch, rebuild.generation, *filling.shaper, frame.first.lineage));
    for (const auto& each : frame.passed_over)
        if (rebuild.tables.contains(each.table))
            passed_over_[each.table][each.reason] += each.rows;
    if (delivery->at_end) rows += TRY(filling.shaper->flush(put_));
    static_cast<Place&>(rebuild) = delivery->after;
    if (frame.marker && frame.marker->kind == MarkerKind::end)
        for (const auto& table : frame.marker->tables) rebuild.tables.erase(table);
    failpoint("lane.rebuild_fed");
    if (rows > 0 || filling.shaper->holds_rows())
        epoch_.add(rows, static_cast<std::int64_t>(frame.bytes()), lane_.clock_.steady());
    return true;
}

// Called at the end of a transaction.
auto LaneAttempt::swap_in() -> Result<void> {
    auto& offsets = pending_.offsets;
    const auto is_settled = [&](const Place& place) {
        return place.image_complete && pending_.position >= place.settled_point;
    };
    if (!offsets.is_swapped_in && is_settled(offsets)) {
        TRY(commit_rows());
        std::set<TableName> absent;
        for (const auto& table : offsets.absent) absent.merge(TRY(shaper_.outputs_of(table)));
        auto present = lane_.queue_.tables();
        for (const auto& table : offsets.absent) present.erase(table);
        TRY(shaper_.supersede_letters(present, offsets.consistent_point));
        TRY(sink_.adopt(offsets.generation,
                        [&](const TableName& table) { return !absent.contains(table); }));
        offsets.is_swapped_in = true;
        failpoint("lane.before_swap");
        known_.clear();
        shaper_.forget_versions();
        TRY(commit());
    }
    if (!offsets.is_swapped_in) return {};
    for (std::size_t i = offsets.rebuilds.size(); i-- > 0;)
        if (offsets.rebuilds[i].change_offset == offsets.change_offset &&
            is_settled(offsets.rebuilds[i]))
            TRY(swap_in_rebuild(i));
    return {};
}

auto LaneAttempt::swap_in_rebuild(std::size_t index) -> Result<void> {
    auto& offsets = pending_.offsets;
    TRY(commit_rows());
    const auto rebuild = offsets.rebuilds[index];
    std::set<TableName> wanted;
    for (const auto& table : rebuild.tables) wanted.merge(TRY(shaper_.outputs_of(table)));
    TRY(shaper_.supersede_letters(rebuild.tables, rebuild.consistent_point));
    TRY(sink_.adopt(rebuild.generation,
                    [&](const TableName& table) { return wanted.contains(table); }));
    for (const auto& table : rebuild.tables) offsets.absent.erase(table);
    forget_rebuild(index);
    failpoint("lane.before_swap");
    known_.clear();
    shaper_.forget_versions();
    TRY(commit());
    log(LogLevel::info, "sink {}: image of {} is in its place", name(), list_of(rebuild.tables));
    return {};
}

}  // namespace leat
