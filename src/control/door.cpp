// Routes of the socket; see door.hpp.
#include "control/door.hpp"

#include <boost/json.hpp>

#include "control/status_json.hpp"

namespace leat {

namespace {

constexpr std::size_t rows_max = 100'000;

auto error_reply(const Error& error) -> wire::HttpReply {
    const boost::json::object body = {{"error", error.what}, {"hint", error.hint}};
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

auto answer_query(Pipeline& pipeline, std::string_view target, const std::string& sql)
    -> wire::HttpReply {
    constexpr std::string_view sink_parameter = "/query?sink=";
    const auto sink = target.starts_with(sink_parameter)
                          ? std::string(target.substr(sink_parameter.size()))
                          : std::string();
    const auto result = pipeline.query(sink, sql, rows_max);
    if (!result) return error_reply(result.error());
    return {200, boost::json::serialize(to_json(*result))};
}

}  // namespace

auto open_door(Pipeline& pipeline, const std::filesystem::path& socket)
    -> Result<std::unique_ptr<wire::UnixHttpServer>> {
    return wire::UnixHttpServer::start(
        socket, [&pipeline](const wire::HttpRequest& request) -> wire::HttpReply {
            if (request.method == "POST" && request.target.starts_with("/query"))
                return answer_query(pipeline, request.target, request.body);
            if (request.method == "GET" && request.target == "/status")
                return {200, boost::json::serialize(to_json(pipeline.status()))};
            return {404, R"({"error":"no such request","hint":"Use POST /query or GET /status."})"};
        });
}

}  // namespace leat
