// Routes; see door.hpp.
#include "control/door.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "control/metrics.hpp"
#include "control/status_json.hpp"
#include "pipeline/health.hpp"

namespace leat {

namespace {

constexpr std::size_t rows_max = 100'000;
// More than a sink answers queries at once, so that one for the status still gets through.
constexpr std::size_t socket_threads = 8;
constexpr std::size_t port_threads = 2;
constexpr const char* arrow_content_type = "application/vnd.apache.arrow.stream";

auto error_reply(const Error& error) -> wire::HttpReply {
    const boost::json::object body = {
        {"error", error.what}, {"code", to_string(error.code)}, {"hint", error.hint}};
    return {error.fault == Fault::retry ? 503 : 400, boost::json::serialize(body)};
}

auto to_json(const QueryResult& result) -> boost::json::object {
    boost::json::array rows;
    for (const auto& row : result.rows) {
        boost::json::array values;
        for (const auto& value : row)
            values.push_back(value ? boost::json::value(*value) : boost::json::value(nullptr));
        rows.push_back(std::move(values));
    }
    return {{"columns", boost::json::value_from(result.columns)},
            {"types", boost::json::value_from(result.types)},
            {"rows", std::move(rows)},
            {"truncated", result.truncated}};
}

// The value of a parameter after '?'; names of sinks and formats need no decoding.
auto parameter(std::string_view target, std::string_view name) -> std::string {
    auto rest = target.substr(std::min(target.size(), target.find('?')));
    while (!rest.empty()) {
        rest.remove_prefix(1);  // '?' or '&'
        const auto pair = rest.substr(0, rest.find('&'));
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
            return std::string(pair.substr(name.size() + 1));
        rest.remove_prefix(pair.size());
    }
    return {};
}

auto answer_query(Pipeline& pipeline, std::string_view target, const std::string& sql)
    -> wire::HttpReply {
    const auto sink = parameter(target, "sink");
    if (parameter(target, "format") == "arrow") {
        auto stream = pipeline.query_arrow(sink, sql, rows_max);
        if (!stream) return error_reply(stream.error());
        // A stream has no room for a note beside the rows; half an answer must not pass for one.
        if (stream->truncated)
            return error_reply({Fault::config, "more than " + std::to_string(rows_max) + " rows",
                                "Add a LIMIT or aggregate.", "query", Code::query_rows});
        return {200, std::move(stream->bytes), arrow_content_type};
    }
    const auto result = pipeline.query(sink, sql, rows_max);
    if (!result) return error_reply(result.error());
    return {200, boost::json::serialize(to_json(*result))};
}

auto answer_pause(Pipeline& pipeline, std::string_view target, bool paused) -> wire::HttpReply {
    const auto done = pipeline.pause(parameter(target, "sink"), paused);
    return done ? wire::HttpReply{200, "{}"} : error_reply(done.error());
}

// Open means: past the start, and not given up.
auto is_ready(const PipelineStatus& status) -> bool {
    const auto is_open = [](const auto& part) {
        return !part.is_wanted || (part.phase != Phase::starting && part.phase != Phase::failed &&
                                   part.phase != Phase::stopped);
    };
    return is_open(status.capture) &&
           std::all_of(status.lanes.begin(), status.lanes.end(), is_open);
}

auto yes_or_no(bool yes, const char* word) -> wire::HttpReply {
    const boost::json::object body = {{word, yes}};
    return {yes ? 200 : 503, boost::json::serialize(body)};
}

auto answer_health(const PipelineStatus& status, const std::string& component)
    -> wire::HttpReply {
    const auto health = health_of(status, component);
    if (!health) {
        const boost::json::object body = {
            {"error", "no such component"},
            {"components", boost::json::value_from(components_of(status))}};
        return {404, boost::json::serialize(body)};
    }
    return {*health == Health::unhealthy ? 503 : 200,
            boost::json::serialize(health_json(status, component))};
}

// What monitoring asks; nothing for any other request.
auto answer_monitoring(const Pipeline& pipeline, const std::string& version,
                       const wire::HttpRequest& request) -> std::optional<wire::HttpReply> {
    constexpr std::string_view component_prefix = "/health/";
    const auto path = request.target.substr(0, request.target.find('?'));
    if (request.method != "GET") return std::nullopt;
    if (path == "/livez") return yes_or_no(pipeline.is_alive(), "alive");
    if (path == "/readyz") return yes_or_no(is_ready(pipeline.status()), "ready");
    if (path == "/health") return answer_health(pipeline.status(), "");
    if (path.starts_with(component_prefix) && path.size() > component_prefix.size())
        return answer_health(pipeline.status(), path.substr(component_prefix.size()));
    if (path == "/metrics")
        return wire::HttpReply{200, metrics_text(pipeline.status(), version),
                               metrics_content_type};
    return std::nullopt;
}

auto no_such_request(const char* hint) -> wire::HttpReply {
    const boost::json::object body = {{"error", "no such request"}, {"hint", hint}};
    return {404, boost::json::serialize(body)};
}

}  // namespace

auto open_door(Pipeline& pipeline, const DoorOptions& options)
    -> Result<std::unique_ptr<wire::HttpServer>> {
    std::vector<wire::HttpListener> listeners;
    const auto version = options.version;
    const auto inside = [&pipeline, version](const wire::HttpRequest& request) -> wire::HttpReply {
        if (request.method == "POST" && request.target.starts_with("/query"))
            return answer_query(pipeline, request.target, request.body);
        for (const bool paused : {true, false})
            if (request.method == "POST" &&
                request.target.starts_with(paused ? "/pause" : "/resume"))
                return answer_pause(pipeline, request.target, paused);
        if (request.method == "GET" && request.target == "/status")
            return {200, boost::json::serialize(to_json(pipeline.status()))};
        if (auto reply = answer_monitoring(pipeline, version, request)) return *std::move(reply);
        return no_such_request("Use POST /query, GET /status, /metrics or /health.");
    };
    listeners.push_back({options.socket, inside, socket_threads});
    const auto outside = [&pipeline, version](const wire::HttpRequest& request) -> wire::HttpReply {
        if (auto reply = answer_monitoring(pipeline, version, request)) return *std::move(reply);
        return no_such_request("Use GET /metrics, /livez, /readyz, /health or /health/COMPONENT.");
    };
    if (options.listen) listeners.push_back({*options.listen, outside, port_threads});
    return wire::HttpServer::start(std::move(listeners));
}

}  // namespace leat
