// The few rules by which shared state changes, used alike by writer and recovery.
#include "queue/log/log_state.hpp"

#include <utility>

namespace leat::log_queue {

auto apply(const Marker& marker, std::uint64_t offset, State& state) -> void {
    auto& generation = state.generation;
    switch (marker.kind) {
        case MarkerKind::begin:
            generation = {};
            generation.generation = marker.generation;
            generation.lineage = marker.position.lineage;
            generation.begin_offset = offset;
            state.last.reset();
            state.last_time_us = 0;
            break;
        case MarkerKind::point:
            generation.has_point = true;
            generation.point_offset = offset;
            generation.consistent_point = marker.position;
            break;
        case MarkerKind::complete: generation.complete = true; break;
        case MarkerKind::aborted: generation.aborted = true; break;
    }
}

auto note_schema(Log& log, std::uint32_t number, std::map<TableName, std::uint32_t>& in_force)
    -> void {
    const auto table = log.schemas.table(number);
    const auto [known, is_new] = in_force.try_emplace(table->name, number);
    if (is_new) return;
    const auto before = log.schemas.table(known->second);
    if (std::pair(table->generation, table->version) >
        std::pair(before->generation, before->version))
        known->second = number;
}

auto stopped() -> Error {
    return Error{Fault::retry, "stopped", "", "log"};
}

}  // namespace leat::log_queue
