// The few rules by which shared state changes, used alike by writer and recovery.
#include "queue/log/log_state.hpp"

#include <algorithm>
#include <utility>

namespace leat::log_queue {

namespace {

auto begin(const Marker& marker, std::uint64_t offset, State& state, SchemasInForce& in_force)
    -> void {
    GenerationRecord record;
    record.generation = marker.generation;
    record.lineage = marker.position.lineage;
    record.purpose = marker.purpose;
    record.is_all = marker.is_all;
    record.sinks = marker.sinks;
    record.tables = marker.tables;
    record.begin_offset = offset;
    record.snapshot_offset = marker.snapshot_offset;
    state.generations.push_back(std::move(record));
    if (marker.purpose == Purpose::anew) {
        state.tables.clear();
        state.last.reset();
        state.last_time_us = 0;
        in_force.clear();
    }
    state.tables.insert(marker.tables.begin(), marker.tables.end());
}

}  // namespace

auto apply(const Marker& marker, std::uint64_t offset, State& state, SchemasInForce& in_force)
    -> void {
    ++state.version;
    auto* const record = state.find(marker.generation);
    switch (marker.kind) {
        case MarkerKind::begin: begin(marker, offset, state, in_force); break;
        case MarkerKind::left:
            for (const auto& table : marker.tables) {
                state.tables.erase(table);
                in_force.erase(table);
            }
            break;
        case MarkerKind::point:
            record->has_point = true;
            record->consistent_point = marker.position;
            break;
        case MarkerKind::table:
            for (const auto& table : marker.tables)
                if (std::find(record->whole.begin(), record->whole.end(), table) ==
                    record->whole.end())
                    record->whole.push_back(table);
            break;
        case MarkerKind::end: record->has_ended = true; break;
    }
}

auto forget_before(std::uint64_t first_offset, State& state) -> void {
    const auto beginning = state.beginning() == nullptr ? 0 : state.beginning()->generation;
    const auto newest = state.newest();
    std::erase_if(state.generations, [&](const auto& record) {
        return record.has_ended && record.begin_offset < first_offset &&
               record.generation != beginning && record.generation != newest;
    });
}

auto note_schema(const Log& log, SequenceKind kind, std::uint32_t number, const State& state,
                 SchemasInForce& in_force) -> void {
    const auto table = log.schemas.table(number);
    if (kind == SequenceKind::changes) {
        in_force[table->name] = number;
        return;
    }
    const auto* const beginning = state.beginning();
    if (beginning != nullptr && table->generation >= beginning->generation &&
        state.tables.contains(table->name))
        in_force.try_emplace(table->name, number);
}

auto stopped() -> Error {
    return Error{Fault::retry, "stopped", "", "log"};
}

}  // namespace leat::log_queue
