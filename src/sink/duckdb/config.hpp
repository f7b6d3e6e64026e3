// The options of the DuckDB sink.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "config/fields.hpp"

namespace leat {

struct CopyConfig {
    std::filesystem::path path;
    config::Duration every = std::chrono::minutes(1);

    static constexpr auto fields() {
        using config::field;
        return config::fields(
            field("path", &CopyConfig::path,
                  "file that is replaced by a copy of the database, to be read by anybody")
                .required(),
            field("every", &CopyConfig::every, "time between two copies, if anything has changed")
                .at_least(std::chrono::seconds(1)));
    }
};

struct DuckDbConfig {
    std::filesystem::path path;
    config::Bytes memory_limit = config::Bytes::mib(256);
    std::uint32_t threads = 1;
    config::Bytes wal_bytes_max = config::Bytes::mib(256);
    config::Bytes stage_bytes_max = config::Bytes::mib(64);
    std::uint32_t queries_max = 4;
    std::optional<CopyConfig> copy;

    static constexpr auto fields() {
        using config::Bytes;
        using config::field;
        return config::fields(
            field("path", &DuckDbConfig::path, "the database file, made if it is missing")
                .required(),
            field("memory_limit", &DuckDbConfig::memory_limit,
                  "memory that duckdb may use; beyond it, it spills to the data folder")
                .at_least(Bytes::mib(64)),
            field("threads", &DuckDbConfig::threads, "threads of one duckdb statement")
                .between(1, 256),
            field("wal_bytes_max", &DuckDbConfig::wal_bytes_max,
                  "size of duckdb's write-ahead log at which it is checkpointed at the latest")
                .at_least(Bytes::mib(1)),
            field("stage_bytes_max", &DuckDbConfig::stage_bytes_max,
                  "rows of one epoch held in memory; beyond it they wait in a file")
                .at_least(Bytes::mib(1)),
            field("queries_max", &DuckDbConfig::queries_max, "queries that run at once; more wait")
                .between(1, 64),
            field("copy", &DuckDbConfig::copy,
                  "a copy for programs that read beside the pipeline; none if left out"));
    }
};

}  // namespace leat
