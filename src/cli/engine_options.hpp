// What the engine itself reads of a pipeline file; connectors and transforms read the rest.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.hpp"
#include "pipeline/capture.hpp"
#include "pipeline/epoch.hpp"

namespace leat {

constexpr auto names_of(OnGap) {
    using Name = config::EnumName<OnGap>;
    return std::array{Name{OnGap::stop, "stop"}, Name{OnGap::resnapshot, "resnapshot"}};
}

constexpr auto names_of(UnchangedColumns) {
    using Name = config::EnumName<UnchangedColumns>;
    return std::array{Name{UnchangedColumns::when_needed, "when_needed"},
                      Name{UnchangedColumns::lookup, "lookup"},
                      Name{UnchangedColumns::as_sent, "as_sent"}};
}

}  // namespace leat

namespace leat::cli {

// Section `run`.
struct EngineOptions {
    OnGap on_gap = OnGap::stop;
    UnchangedColumns unchanged_columns = UnchangedColumns::when_needed;
    std::uint32_t snapshot_workers = 2;
    std::int64_t epoch_rows_max = EpochLimits{}.rows_max;
    config::Bytes epoch_bytes_max = config::Bytes::mib(64);
    config::Duration epoch_age_max{EpochLimits{}.age_max};
    double commit_pause_factor = EpochLimits{}.pause_factor;

    static constexpr auto fields() {
        using config::field;
        return config::fields(
            field("on_gap", &EngineOptions::on_gap,
                  "changes are lost for good (slot gone or invalidated, server restored): the "
                  "pipeline stops and says why (stop), or all tables are read anew and swapped in, "
                  "without what was deleted meanwhile (resnapshot)"),
            field("unchanged_columns", &EngineOptions::unchanged_columns,
                  "columns that the source leaves out of an update because they did not change are "
                  "read from its table before the row enters the log: where a transform needs them "
                  "(when_needed), in all tables (lookup), or never (as_sent)"),
            field("snapshot_workers", &EngineOptions::snapshot_workers,
                  "connections that read a snapshot in parallel")
                .between(1, 64),
            field("epoch_rows_max", &EngineOptions::epoch_rows_max,
                  "rows after which a sink that lags commits")
                .at_least(1),
            field("epoch_bytes_max", &EngineOptions::epoch_bytes_max,
                  "bytes after which a sink that lags commits"),
            field("epoch_age_max", &EngineOptions::epoch_age_max,
                  "time after which a sink that lags commits"),
            field("commit_pause_factor", &EngineOptions::commit_pause_factor,
                  "pause after a commit, in multiples of what it cost, when the sink is up to date")
                .between(0, 1000));
    }
};

// Section `http`: the port for monitoring.
struct HttpOptions {
    std::string listen;

    static constexpr auto fields() {
        return config::fields(
            config::field("listen", &HttpOptions::listen,
                          "address and port that serve metrics and health to whoever asks, such as "
                          "127.0.0.1:9187")
                .required()
                .not_empty());
    }
};

// Of a sink's node.
struct SinkOptions {
    std::string name;
    std::vector<std::string> tables;

    static constexpr auto fields() {
        using config::field;
        return config::fields(field("name", &SinkOptions::name, "name of the sink; default: its type"),
                              field("tables", &SinkOptions::tables, "target tables; default: all"));
    }
};

}  // namespace leat::cli
