// One line per connector. Documents, configuration errors and the command line follow from it.
#include "connectors.hpp"

#include <array>

#include "config/describe.hpp"
#include "config/read.hpp"
#include "queue/log/config.hpp"
#include "queue/log/log_queue.hpp"
#include "sink/duckdb/config.hpp"
#include "sink/duckdb/duckdb_sink.hpp"
#include "source/postgres/config.hpp"
#include "source/postgres/postgres_source.hpp"

namespace leat {

namespace {

template <class Interface, class Options, class Connector, class Context>
auto configure(const config::Node& node, config::Problems& problems, const Context& context)
    -> std::function<Result<std::unique_ptr<Interface>>()> {
    config::ReadOptions reading;
    reading.where = "'" + (node.find("type") == nullptr ? "" : node.find("type")->text) + "'";
    auto options = config::read<Options>(node, problems, reading);
    return [options = std::move(options), context]() -> Result<std::unique_ptr<Interface>> {
        return TRY(Connector::make(options, context));
    };
}

template <class Options, class Connector>
constexpr auto source(std::string_view name) -> SourceType {
    return {name, &configure<Source, Options, Connector, SourceContext>,
            &config::describe<Options>};
}
template <class Options, class Connector>
constexpr auto queue(std::string_view name) -> QueueType {
    return {name, &configure<Queue, Options, Connector, QueueContext>, &config::describe<Options>};
}
template <class Options, class Connector>
constexpr auto sink(std::string_view name) -> SinkType {
    return {name, &configure<Sink, Options, Connector, SinkContext>, &config::describe<Options>};
}

}  // namespace

auto source_types() -> std::span<const SourceType> {
    static constexpr std::array types = {
        source<postgres::PostgresConfig, postgres::PostgresSource>("postgres"),
    };
    return types;
}

auto queue_types() -> std::span<const QueueType> {
    static constexpr std::array types = {
        queue<log_queue::LogConfig, log_queue::LogQueue>("log"),
    };
    return types;
}

auto sink_types() -> std::span<const SinkType> {
    static constexpr std::array types = {
        sink<duckdb::DuckDbConfig, duckdb::DuckDbSink>("duckdb"),
    };
    return types;
}

}  // namespace leat
