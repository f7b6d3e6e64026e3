// The options of the PostgreSQL source.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/fields.hpp"

namespace leat::postgres {

// What a change of a table's columns at the source does.
enum class OnSchemaChange {
    evolve,         // it is followed where it can be, else capture stops
    freeze,         // capture stops
    discard_value,  // the shape stays, and values that do not fit it are left out
    discard_row,    // the shape stays, and rows with such values are left out
};
constexpr auto names_of(OnSchemaChange) {
    using Name = config::EnumName<OnSchemaChange>;
    return std::array{Name{OnSchemaChange::evolve, "evolve"},
                      Name{OnSchemaChange::freeze, "freeze"},
                      Name{OnSchemaChange::discard_value, "discard_value"},
                      Name{OnSchemaChange::discard_row, "discard_row"}};
}
constexpr auto is_discarding(OnSchemaChange contract) -> bool {
    return contract == OnSchemaChange::discard_value || contract == OnSchemaChange::discard_row;
}

struct ColumnChoice {
    std::vector<std::string> exclude;

    static constexpr auto fields() {
        return config::fields(
            config::field("exclude", &ColumnChoice::exclude, "columns that never leave the source")
                .not_empty());
    }
};

struct PostgresConfig {
    config::Secret uri;
    std::vector<std::string> tables;
    std::map<std::string, ColumnChoice> columns;
    std::string slot;
    std::string publication;
    bool failover = false;
    OnSchemaChange on_schema_change = OnSchemaChange::evolve;
    bool insert_only = false;
    bool binary = false;
    config::Bytes frame_bytes = config::Bytes::mib(1);
    config::Duration linger = std::chrono::milliseconds(2);
    config::Duration connect_timeout = std::chrono::seconds(10);

    static constexpr auto fields() {
        using config::field;
        using Self = PostgresConfig;
        return config::fields(
            field("uri", &Self::uri, "connection string, as libpq reads it").required().not_empty(),
            field("tables", &Self::tables,
                  "tables to capture, as schema.table; `*` stands for any letters within either "
                  "part, "
                  "and `!` before it leaves out what it names")
                .required()
                .not_empty(),
            field("columns", &Self::columns,
                  "per table: which columns are captured; PostgreSQL 15 or newer"),
            field("slot", &Self::slot, "replication slot; leat_<pipeline> if left out"),
            field("publication", &Self::publication,
                  "a publication of your own, used as it is; leat_<pipeline> is made if left out"),
            field("failover", &Self::failover,
                  "let standbys keep the slot in step, so that capture goes on after a failover; "
                  "PostgreSQL 17 or newer"),
            field(
                "on_schema_change", &Self::on_schema_change,
                "when the columns of a table change: follow it where it can be followed (evolve), "
                "stop capture with the change by name (freeze), or keep the shape and leave out, "
                "and count, what does not fit it: values (discard_value) or rows (discard_row)"),
            field("insert_only", &Self::insert_only,
                  "capture inserts and truncates only; tables need no replica identity"),
            field("binary", &Self::binary,
                  "ask for binary values: less work here, more at the server"),
            field("frame_bytes", &Self::frame_bytes, "size at which a frame of changes is closed")
                .between(config::Bytes::kib(16), config::Bytes::mib(64)),
            field("linger", &Self::linger, "how long a frame waits for more changes")
                .between(std::chrono::nanoseconds(0), std::chrono::seconds(1)),
            field("connect_timeout", &Self::connect_timeout, "longest wait for a connection")
                .between(std::chrono::seconds(1), std::chrono::seconds(600)));
    }
};

}  // namespace leat::postgres
