// The registry: every source, queue and sink that this program knows, by the name a pipeline file
// uses. A new connector adds one line to connectors.cpp.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/finding.hpp"
#include "config/node.hpp"
#include "config/problems.hpp"
#include "pipeline/capture.hpp"
#include "pipeline/lane.hpp"
#include "queue/queue.hpp"
#include "sink/sink.hpp"
#include "source/source.hpp"
#include "source/vitals.hpp"

namespace leat {

using QueueMaker = std::function<Result<std::unique_ptr<Queue>>()>;

// `configure` reads the connector's options from its node (without `type` and what the engine
// reads itself), reports what is wrong with them, and returns what makes the connector.
template <class Maker, class Context>
struct ConnectorType {
    std::string_view name;
    Maker (*configure)(const config::Node&, config::Problems&, const Context&);
    std::string (*describe)();  // its options, a table in Markdown
};

// A queue is opened by being made, so what looks at it is a connector of its own.
using CheckMaker = std::function<Result<std::unique_ptr<Checkable>>()>;

struct SourceType : ConnectorType<SourceMaker, SourceContext> {
    std::vector<VitalInfo> (*vitals)();  // gauges of its own
};
struct QueueType : ConnectorType<QueueMaker, QueueContext> {
    CheckMaker (*configure_check)(const config::Node&, config::Problems&, const QueueContext&);
};
using SinkType = ConnectorType<SinkMaker, SinkContext>;

auto source_types() -> std::span<const SourceType>;
auto queue_types() -> std::span<const QueueType>;
auto sink_types() -> std::span<const SinkType>;

}  // namespace leat
