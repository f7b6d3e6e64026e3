// The closed list of what a user can meet and act on, each with a stable name. `leat explain` has a
// page for every entry (src/cli/explain), which the compiler sees to; test/tidy finds an entry that
// no error carries. Names are kept for ever: alerts and runbooks quote them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

// One name per line, the area first. The text is the name itself, PG-SLOT-LOST for pg_slot_lost,
// so two errors cannot share one.
#define LEAT_ERROR_CODES(X) \
    X(source_silent)        \
    X(pg_unreachable)       \
    X(pg_login)             \
    X(pg_database)          \
    X(pg_right)             \
    X(pg_uri)               \
    X(pg_refused)           \
    X(pg_version)           \
    X(pg_standby)           \
    X(pg_wal_level)         \
    X(pg_slots_full)        \
    X(pg_slot_lost)         \
    X(pg_slot_at_risk)      \
    X(pg_slot_ahead)        \
    X(pg_slot_foreign)      \
    X(pg_slot_in_use)       \
    X(pg_slot_name)         \
    X(pg_other_cluster)     \
    X(pg_timeline)          \
    X(pg_went_back)         \
    X(pg_publication)       \
    X(pg_publication_gone)  \
    X(pg_table_missing)     \
    X(pg_table_kind)        \
    X(pg_table_names)       \
    X(pg_no_identity)       \
    X(pg_schema_change)     \
    X(pg_schema_waits)      \
    X(pg_value)             \
    X(pg_snapshot_again)    \
    X(pg_stream)            \
    X(pg_decoding)          \
    X(pg_work_folder)       \
    X(mongo_unreachable) \
    X(mongo_login)       \
    X(mongo_right)       \
    X(mongo_uri)         \
    X(mongo_tls)         \
    X(mongo_refused)     \
    X(mongo_version)     \
    X(mongo_standalone)  \
    X(mongo_history_lost) \
    X(mongo_oplog_at_risk) \
    X(mongo_token)       \
    X(mongo_other_deployment) \
    X(mongo_went_back)   \
    X(mongo_event_too_large) \
    X(mongo_stream)      \
    X(mongo_collection_names) \
    X(mongo_collection_missing) \
    X(mongo_collection_kind) \
    X(mongo_delta)          \
    X(mongo_work_folder) \
    X(log_full)             \
    X(log_full_soon)        \
    X(log_disk_full)        \
    X(log_disk)             \
    X(log_folder)           \
    X(log_folder_gone)      \
    X(log_in_use)           \
    X(log_foreign)          \
    X(log_version)          \
    X(log_damaged)          \
    X(log_rebuild)          \
    X(log_size)             \
    X(log_none)             \
    X(duckdb_in_use)        \
    X(duckdb_file)          \
    X(duckdb_path)          \
    X(duckdb_version)       \
    X(duckdb_foreign)       \
    X(duckdb_superseded)    \
    X(duckdb_table_taken)   \
    X(duckdb_altered)       \
    X(duckdb_schema)        \
    X(duckdb_incomplete)    \
    X(duckdb_memory)        \
    X(duckdb_busy)          \
    X(duckdb_statement)     \
    X(duckdb_stage)         \
    X(duckdb_copy)          \
    X(duckdb_library)       \
    X(transform_sql)        \
    X(transform_names)      \
    X(transform_notes)      \
    X(row_rejected)         \
    X(row_ratio)            \
    X(letters_open)         \
    X(letters_full)         \
    X(letters_store)        \
    X(sink_unknown)         \
    X(sink_needs_image)     \
    X(sink_paused)          \
    X(sink_behind)          \
    X(sink_closed)          \
    X(file_invalid)         \
    X(file_unreadable)      \
    X(run_absent)           \
    X(run_folder)           \
    X(run_output)           \
    X(run_argument)         \
    X(simulate_tables)      \
    X(simulate_server)      \
    X(http_port)            \
    X(http_socket)          \
    X(query_refused)        \
    X(query_rows)

namespace leat {

// `none`: an error nobody can act on but by reporting it, or one that only asks for a repetition.
enum class Code : unsigned char {
    none,
#define LEAT_NAME(name) name,
    LEAT_ERROR_CODES(LEAT_NAME)
#undef LEAT_NAME
};

// Every code but `none`, in order.
inline constexpr std::array all_codes = {
#define LEAT_NAME(name) Code::name,
    LEAT_ERROR_CODES(LEAT_NAME)
#undef LEAT_NAME
};

// "PG-SLOT-LOST"; empty for `none`.
inline auto to_string(Code code) -> std::string {
    constexpr std::array<std::string_view, all_codes.size() + 1> names = {
        "",
#define LEAT_NAME(name) #name,
        LEAT_ERROR_CODES(LEAT_NAME)
#undef LEAT_NAME
    };
    std::string text(names.at(static_cast<std::size_t>(code)));
    for (char& c : text) {
        if (c == '_') c = '-';
        else if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

}  // namespace leat
