// The replication slot: making, finding, dropping it, starting the stream, and telling whether it
// still is the slot that our position belongs to.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "change/position.hpp"
#include "source/postgres/client.hpp"

namespace leat::postgres {

// The next step where the slot or the position in it is of no use any more.
inline constexpr auto start_anew =
    "Set `on_gap: resnapshot` in `run:` and start again: all tables are read anew, beside what the "
    "sinks hold, and take its place once they are whole.";

// Whom a position belongs to; as text it is the position's token: "system/timeline/slot".
struct SlotIdentity {
    std::string system_id;
    std::string timeline;
    std::string slot;

    [[nodiscard]] auto token() const -> std::string;
};

inline constexpr int failover_slots_since = 170000;

struct SlotState {
    std::string plugin;
    std::string database;
    bool active = false;
    bool failover = false;  // standbys keep it in step
    std::int64_t active_pid = 0;
    std::string wal_status;  // "lost": what it needs was removed
    bool has_restart = false;
    Lsn confirmed{};
    std::int64_t kept_bytes = 0;  // of the server's log, for this slot's sake
};

// Over a replication connection.
auto identify(Connection& replication, const std::string& slot) -> Result<SlotIdentity>;

auto find_slot(Connection& sql, const std::string& slot) -> Result<std::optional<SlotState>>;
// Gone already is as good; one that is being read is refused.
auto drop_slot(Connection& sql, const std::string& slot) -> Result<void>;

struct CreatedSlot {
    Lsn point{};
    std::string snapshot;  // exported until the next command on that connection
};

// `is_temporary`: it goes with the connection.
struct NewSlot {
    std::string name;
    bool is_temporary = false;
    bool failover = false;
};

// Waits for all transactions that write at this moment; `while_waiting` about once a second.
auto create_slot(Connection& replication, const NewSlot& slot, const std::stop_token& stop,
                 const std::function<void()>& while_waiting) -> Result<CreatedSlot>;

struct StreamOptions {
    std::string slot;
    std::string publication;
    Lsn from{};
    bool binary = false;
};
auto start_stream(Connection& replication, const StreamOptions& options) -> Result<void>;

// Standbys keep the slot in step from now on. Nobody reads it meanwhile.
auto make_failover(Connection& replication, const std::string& slot) -> Result<void>;

// The slot can go on at `position`: same cluster and slot, the position part of the history of the
// server's timeline, nothing confirmed beyond it, and it not beyond the server's log. Otherwise,
// with reason and remedy: fatal where changes are lost for good (a gap), config where the pipeline
// file names the wrong server or slot.
struct ResumeConnections {
    Connection& sql;
    Connection& replication;
};
auto check_resume(const ResumeConnections& connections, const SlotIdentity& now,
                  const Position& position) -> Result<void>;

// A slot or publication name from a pipeline's: what PostgreSQL allows in a slot's name.
auto default_name(const std::string& pipeline) -> std::string;
auto is_slot_name(const std::string& name) -> bool;

}  // namespace leat::postgres
