// Status → JSON; see status_json.hpp.
#include "control/status_json.hpp"

#include <boost/json/array.hpp>

#include "pipeline/health.hpp"

namespace leat {

namespace {

auto to_json(const ReasonCounts& counts) -> boost::json::object {
    boost::json::object object;
    for (const auto& [name, count] : counts) object[name] = count;
    return object;
}

auto to_json(const std::map<TableName, TableCounts>& tables) -> boost::json::object {
    boost::json::object object;
    for (const auto& [table, counts] : tables)
        object[to_string(table)] = {{"snapshot_rows", counts.snapshot_rows},
                                    {"inserts", counts.inserts},
                                    {"updates", counts.updates},
                                    {"deletes", counts.deletes},
                                    {"truncates", counts.truncates}};
    return object;
}

// What only the source's counts have.
auto captured(const CaptureStatus& capture) -> boost::json::object {
    auto object = to_json(capture.tables);
    for (const auto& [table, counts] : capture.tables) {
        auto& one = object[to_string(table)].as_object();
        one["eventual"] = capture.eventual.contains(table);
        one["looked_up"] = counts.looked_up;
        one["passed_over"] = to_json(counts.passed_over);
        one["changed"] = to_json(counts.changed);
    }
    return object;
}

auto to_json(const std::map<TableName, ReasonCounts>& tables) -> boost::json::object {
    boost::json::object object;
    for (const auto& [table, counts] : tables) object[to_string(table)] = to_json(counts);
    return object;
}

auto to_json(const std::map<std::string, FlowCounts>& flows) -> boost::json::object {
    boost::json::object object;
    for (const auto& [table, flow] : flows)
        object[table] = {{"rows_in", flow.rows_in},
                         {"applied", flow.applied},
                         {"filtered", flow.filtered},
                         {"dropped", to_json(flow.dropped)},
                         {"warned", to_json(flow.warned)},
                         {"dead_letters", to_json(flow.dead_letters)},
                         {"passed_over", to_json(flow.passed_over)}};
    return object;
}

auto to_json(const LaneStatus& lane) -> boost::json::object {
    return {{"name", lane.name},
            {"phase", to_string(lane.phase)},
            {"message", lane.message},
            {"lag_seconds", lane.lag_seconds},
            {"position", to_string(lane.reached)},
            {"commit_time_us", lane.committed.commit_time_us},
            {"change_offset", lane.committed.offsets.change_offset},
            {"generation", lane.committed.offsets.generation},
            {"image_complete", lane.image_complete},
            {"commits", lane.commits},
            {"rows", lane.rows_out_of_log},
            {"commit_seconds", lane.commit_seconds},
            {"failures_in_a_row", lane.failures_in_a_row},
            {"circuit_open", lane.circuit_open},
            {"tables", to_json(lane.tables)},
            {"flows", to_json(lane.flows)},
            {"passed_over", to_json(lane.passed_over)}};
}

// Nothing for what the source does not know of.
auto to_json(const WatchStatus& watch) -> boost::json::object {
    boost::json::object object;
    if (!watch.vitals) return object;
    if (watch.vitals->behind_bytes) object["behind_bytes"] = *watch.vitals->behind_bytes;
    for (const auto& vital : watch.vitals->vitals) {
        const std::string name(vital.info->name);
        if (vital.info->label.empty()) object[name] = vital.value;
        else if (vital.value != 0) object[name] = vital.label_value;
    }
    return object;
}

// Null while none is read.
auto image_json(const CaptureStatus& capture) -> boost::json::value {
    if (!capture.image) return nullptr;
    boost::json::object tables;
    for (const auto& table : capture.imaging) {
        const auto found = capture.images.find(table);
        const auto rows = found == capture.images.end() ? ImageRows{} : found->second;
        tables[to_string(table)] = {{"rows", rows.read}, {"rows_estimate", rows.estimated()}};
    }
    boost::json::object image = {{"rows", capture.image->rows},
                                 {"rows_estimate", capture.image->rows_estimate},
                                 {"eta_seconds", nullptr},
                                 {"tables", std::move(tables)}};
    if (capture.image->eta_seconds) image["eta_seconds"] = *capture.image->eta_seconds;
    return image;
}

auto to_json(const CaptureStatus& capture) -> boost::json::object {
    return {{"phase", to_string(capture.phase)},
            {"message", capture.message},
            {"lag_seconds", capture.lag_seconds},
            {"watch", to_json(capture.watch)},
            {"durable_position", to_string(capture.durable)},
            {"durable_commit_time_us", capture.durable_commit_time_us},
            {"frames", capture.frames},
            {"bytes", capture.bytes},
            {"image", image_json(capture)},
            {"snapshot_chunks", capture.chunks},
            {"snapshot_chunks_done", capture.chunks_done},
            {"failures_in_a_row", capture.failures_in_a_row},
            {"circuit_open", capture.circuit_open},
            {"tables", captured(capture)}};
}

auto to_json(const QueueStatus& queue) -> boost::json::object {
    boost::json::object object = {{"held_bytes", queue.held_bytes},
                                  {"bytes_max", queue.bytes_max},
                                  {"message", queue.message},
                                  {"full_in_s", nullptr}};
    if (queue.full_in_s) object["full_in_s"] = *queue.full_in_s;
    return object;
}

auto to_json(const Condition& condition) -> boost::json::object {
    return {{"type", condition.type},
            {"component", condition.component},
            {"status", to_string(condition.verdict)},
            {"reason", condition.reason},
            {"code", to_string(condition.code)},
            {"since_us", condition.since_us},
            {"message", condition.message},
            {"next_step", condition.next_step}};
}

auto to_json(const TableState& table) -> boost::json::object {
    boost::json::object object = {{"table", table.table},
                                  {"sink", nullptr},
                                  {"phase", to_string(table.phase)},
                                  {"health", to_string(table.health)}};
    if (!table.sink.empty()) object["sink"] = table.sink;
    return object;
}

}  // namespace

auto health_json(const PipelineStatus& status, const std::string& component)
    -> boost::json::object {
    const auto health = health_of(status, component);
    boost::json::array conditions;
    for (const auto& condition : status.conditions)
        if (component.empty() || condition.component == component)
            conditions.push_back(to_json(condition));
    boost::json::array tables;
    for (const auto& table : status.tables)
        if (component.empty() || (table.sink.empty() ? "source" : table.sink) == component)
            tables.push_back(to_json(table));
    boost::json::object object = {{"pipeline", status.pipeline},
                                  {"health", health ? to_string(*health) : "unknown"},
                                  {"conditions", std::move(conditions)},
                                  {"tables", std::move(tables)}};
    if (component.empty()) object["phase"] = to_string(status.phase);
    else object["component"] = component;
    return object;
}

auto to_json(const PipelineStatus& status) -> boost::json::object {
    boost::json::array lanes;
    for (const auto& lane : status.lanes) lanes.push_back(to_json(lane));
    boost::json::array conditions;
    for (const auto& condition : status.conditions) conditions.push_back(to_json(condition));
    boost::json::array tables;
    for (const auto& table : status.tables) tables.push_back(to_json(table));
    return {{"pipeline", status.pipeline},
            {"phase", to_string(status.phase)},
            {"health", to_string(status.health)},
            {"conditions", std::move(conditions)},
            {"tables", std::move(tables)},
            {"started_us", status.started_us},
            {"queue", to_json(status.queue)},
            {"capture", to_json(status.capture)},
            {"sinks", std::move(lanes)}};
}

}  // namespace leat
