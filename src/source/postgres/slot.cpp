// Slot statements and the identity check.
#include "source/postgres/slot.hpp"

#include <algorithm>
#include <vector>

#include "source/postgres/timeline.hpp"

namespace leat::postgres {

namespace {

auto lost(Code code, const std::string& what, const char* hint = start_anew) -> Error {
    return Error{Fault::fatal, what, hint, "postgres slot", code};
}

constexpr std::size_t name_bytes_max = 63;

auto in_slot_names(char c) -> bool {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

auto split_token(const std::string& token) -> std::optional<SlotIdentity> {
    const auto first = token.find('/');
    const auto second = first == std::string::npos ? first : token.find('/', first + 1);
    if (second == std::string::npos) return std::nullopt;
    return SlotIdentity{token.substr(0, first), token.substr(first + 1, second - first - 1),
                        token.substr(second + 1)};
}

auto check_identity(Connection& replication, const SlotIdentity& now, const Position& position)
    -> Result<void> {
    const auto ours = split_token(position.token);
    if (!ours)
        return lost(Code::pg_other_cluster,
                    "position is not one of a PostgreSQL source: " + to_string(position));
    if (ours->system_id != now.system_id)
        return lost(
            Code::pg_other_cluster,
            "source is another database cluster: system identifier " + now.system_id + ", ours " +
                ours->system_id,
            "Point source.uri at the cluster this pipeline was started with. If this one has "
            "taken its place: set `on_gap: resnapshot` in `run:` and start again.");
    if (ours->timeline != now.timeline)
        TRY(check_timeline(replication, {ours->timeline, now.timeline, Lsn{position.commit}}));
    if (ours->slot != now.slot)
        return Error{
            Fault::config, "slot of this pipeline was " + ours->slot + ", not " + now.slot,
            "Put the old name into source.slot, or run `leat drop FILE`, move the warehouse "
            "file away and start again.",
            "postgres slot", Code::pg_slot_name};
    return {};
}

}  // namespace

auto SlotIdentity::token() const -> std::string {
    return system_id + "/" + timeline + "/" + slot;
}

auto identify(Connection& replication, const std::string& slot) -> Result<SlotIdentity> {
    const auto rows = TRY(replication.query("IDENTIFY_SYSTEM"));
    if (rows.count() != 1) return replication.failure("IDENTIFY_SYSTEM");
    return SlotIdentity{std::string(rows.text(0, 0)), std::string(rows.text(0, 1)), slot};
}

auto find_slot(Connection& sql, const std::string& slot) -> Result<std::optional<SlotState>> {
    const auto rows =
        TRY(sql.query("SELECT plugin, database, active, active_pid, wal_status, restart_lsn, "
                      "confirmed_flush_lsn, "
                      "CASE WHEN NOT pg_is_in_recovery() "
                      "THEN (pg_current_wal_lsn() - restart_lsn)::bigint END, "
                      "to_jsonb(slot) ->> 'failover' = 'true' "  // since 17
                      "FROM pg_replication_slots AS slot WHERE slot_name = $1",
                      {slot}));
    if (rows.count() == 0) return std::optional<SlotState>();
    SlotState state;
    state.plugin = rows.text(0, 0);
    state.database = rows.text(0, 1);
    state.active = rows.truth(0, 2);
    state.active_pid = rows.number(0, 3);
    state.wal_status = rows.text(0, 4);
    state.has_restart = !rows.is_null(0, 5);
    state.kept_bytes = rows.number(0, 7);
    state.failover = rows.truth(0, 8);
    if (!rows.is_null(0, 6)) state.confirmed = TRY(parse_lsn(rows.text(0, 6)));
    return std::optional(std::move(state));
}

auto drop_slot(Connection& sql, const std::string& slot) -> Result<void> {
    const auto dropped = sql.query("SELECT pg_drop_replication_slot($1)", {slot});
    if (dropped || sqlstate(dropped.error()) == "42704") return {};
    auto error = dropped.error();
    if (sqlstate(error) == "55006")
        error.hint = "Stop whoever reads the slot; it may be this pipeline.";
    return error;
}

auto create_slot(Connection& replication, const NewSlot& slot, const std::stop_token& stop,
                 const std::function<void()>& while_waiting) -> Result<CreatedSlot> {
    constexpr int options_in_parentheses = 150000;
    const std::string snapshot = replication.server_version() < options_in_parentheses
                                     ? "EXPORT_SNAPSHOT"
                                 : slot.failover ? "(SNAPSHOT 'export', FAILOVER)"
                                                 : "(SNAPSHOT 'export')";
    const auto created = replication.query_patiently(
        "CREATE_REPLICATION_SLOT " + quote_name(slot.name) +
            (slot.is_temporary ? " TEMPORARY" : "") + " LOGICAL pgoutput " + snapshot,
        stop, while_waiting);
    if (!created) {
        auto error = created.error();
        if (sqlstate(error) == "53400") {
            error.fault = Fault::config;
            error.code = Code::pg_slots_full;
            error.hint =
                "Raise max_replication_slots and restart the server, or drop a slot that "
                "nobody uses: SELECT slot_name FROM pg_replication_slots WHERE NOT active;";
        }
        return error;
    }
    if (created->count() != 1) return replication.failure("CREATE_REPLICATION_SLOT");
    return CreatedSlot{TRY(parse_lsn(created->text(0, 1))), std::string(created->text(0, 2))};
}

auto start_stream(Connection& replication, const StreamOptions& options) -> Result<void> {
    // "origin" stays "any": changes that the source itself received by replication are changes.
    const int version = replication.server_version();
    const auto* protocol = version >= 160000 ? "4" : version >= 150000 ? "3" : "2";
    std::string sql = "START_REPLICATION SLOT " + quote_name(options.slot) + " LOGICAL " +
                      to_string(options.from) + " (proto_version '" + protocol +
                      "', publication_names " + quote_text(quote_name(options.publication)) +
                      ", streaming 'on'";
    if (options.binary) sql += ", binary 'true'";
    const auto started = replication.query(sql + ")");
    if (started) return {};
    const auto state = sqlstate(started.error());
    if (state == "42704")
        return lost(Code::pg_slot_lost, "replication slot is gone: " + options.slot);
    if (state == "55000")
        return lost(Code::pg_slot_lost,
                    "replication slot can no longer be read: " + started.error().what);
    return started.error();
}

auto make_failover(Connection& replication, const std::string& slot) -> Result<void> {
    TRY(replication.query("ALTER_REPLICATION_SLOT " + quote_name(slot) + " (FAILOVER)"));
    return {};
}

auto check_resume(const ResumeConnections& connections, const SlotIdentity& now,
                  const Position& position) -> Result<void> {
    auto& sql = connections.sql;
    TRY(check_identity(connections.replication, now, position));
    const auto found = TRY(find_slot(sql, now.slot));
    if (!found) return lost(Code::pg_slot_lost, "replication slot is gone: " + now.slot);
    const auto& slot = *found;
    const auto rows = TRY(sql.query("SELECT current_database(), pg_current_wal_insert_lsn()"));
    if (slot.plugin != "pgoutput" || slot.database != rows.text(0, 0))
        return Error{Fault::config,
                     "replication slot is not this pipeline's: " + now.slot + " (" + slot.plugin +
                         ", database " + slot.database + ")",
                     "Choose another name in source.slot.", "postgres slot", Code::pg_slot_foreign};
    if (slot.wal_status == "lost" || !slot.has_restart)
        return lost(
            Code::pg_slot_lost,
            "replication slot is invalidated, the server removed what it needs: " + now.slot);
    if (slot.confirmed.value > position.commit)
        return lost(Code::pg_slot_ahead,
                    "replication slot is ahead of what leat holds, changes in between are lost: "
                    "slot " +
                        to_string(slot.confirmed) + ", ours " + to_string(Lsn{position.commit}));
    const auto server = TRY(parse_lsn(rows.text(0, 1)));
    if (position.commit > server.value)
        return lost(Code::pg_went_back,
                    "server went back in time (restored from a backup, or its log was lost): it is "
                    "at " +
                        to_string(server) + ", ours " + to_string(Lsn{position.commit}));
    return {};
}

auto default_name(const std::string& pipeline) -> std::string {
    std::string name = "leat_" + pipeline;
    for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (!in_slot_names(c)) c = '_';
    }
    return name.substr(0, name_bytes_max);
}

auto is_slot_name(const std::string& name) -> bool {
    return !name.empty() && name.size() <= name_bytes_max &&
           std::all_of(name.begin(), name.end(), in_slot_names);
}

}  // namespace leat::postgres
