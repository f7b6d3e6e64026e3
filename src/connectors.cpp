// One line per connector. Documents, configuration errors and the command line follow from it.
#include "connectors.hpp"

#include <array>

#include "config/describe.hpp"
#include "config/read.hpp"
#include "queue/log/config.hpp"
#include "queue/log/log_check.hpp"
#include "queue/log/log_queue.hpp"
#include "sink/duckdb/config.hpp"
#include "sink/duckdb/duckdb_sink.hpp"
#include "source/mongodb/config.hpp"
#include "source/mongodb/mongodb_source.hpp"
#include "source/postgres/config.hpp"
#include "source/postgres/postgres_source.hpp"

namespace leat {

namespace {

// What the engine reads of a sink's node itself.
constexpr std::array<std::string_view, 2> sink_keys = {"name", "tables"};

template <class Interface, class Options, class Connector, class Context>
auto configure(const config::Node& node, config::Problems& problems, const Context& context)
    -> std::function<Result<std::unique_ptr<Interface>>()> {
    constexpr bool is_sink = std::is_same_v<Interface, Sink>;
    constexpr bool is_source = std::is_same_v<Interface, Source>;
    config::ReadOptions reading;
    if constexpr (is_sink) reading.elsewhere = sink_keys;
    const auto* type = node.find("type");
    reading.where = std::string(is_sink ? "sink" : is_source ? "source" : "queue") + " '" +
                    (type == nullptr ? "" : type->text) + "'";
    auto options = config::read<Options>(node, problems, reading);
    return [options = std::move(options), context]() -> Result<std::unique_ptr<Interface>> {
        return TRY(Connector::make(options, context));
    };
}

template <class Connector>
auto vitals_of() -> std::vector<VitalInfo> {
    if constexpr (requires { Connector::vital_infos(); }) return Connector::vital_infos();
    else return {};
}

template <class Options, class Connector>
constexpr auto source(std::string_view name) -> SourceType {
    return {{name, &configure<Source, Options, Connector, SourceContext>, &config::describe<Options>},
            &vitals_of<Connector>};
}
template <class Options, class Connector, class Check>
constexpr auto queue(std::string_view name) -> QueueType {
    return {{name, &configure<Queue, Options, Connector, QueueContext>, &config::describe<Options>},
            &configure<Checkable, Options, Check, QueueContext>};
}
template <class Options, class Connector>
constexpr auto sink(std::string_view name) -> SinkType {
    return {name, &configure<Sink, Options, Connector, SinkContext>, &config::describe<Options>};
}

}  // namespace

auto source_types() -> std::span<const SourceType> {
    static constexpr std::array types = {
        source<postgres::PostgresConfig, postgres::PostgresSource>("postgres"),
        source<mongodb::MongoConfig, mongodb::MongoSource>("mongodb"),
    };
    return types;
}

auto queue_types() -> std::span<const QueueType> {
    static constexpr std::array types = {
        queue<log_queue::LogConfig, log_queue::LogQueue, log_queue::LogCheck>("log"),
    };
    return types;
}

auto sink_types() -> std::span<const SinkType> {
    static constexpr std::array types = {
        sink<DuckDbConfig, DuckDbSink>("duckdb"),
    };
    return types;
}

}  // namespace leat
