// PostgresSource as Watchable: how the slot stands, asked over a connection of its own.
#include <array>

#include "source/postgres/postgres_source.hpp"
#include "source/postgres/slot.hpp"

namespace leat::postgres {

namespace {

constexpr std::chrono::seconds answer_within(3);

constexpr VitalInfo retained{"pg_slot_retained_bytes",
                             "Write-ahead log that the server keeps for this pipeline's slot."};
constexpr VitalInfo safe{
    "pg_slot_safe_wal_bytes",
    "Write-ahead log that may still be written before the slot is in danger of "
    "being invalidated; absent without max_slot_wal_keep_size."};
constexpr VitalInfo wal_status{
    "pg_slot_wal_status", "1 for the state in which the server holds the slot's write-ahead log.",
    "status"};
constexpr std::array states = {"reserved", "extended", "unreserved", "lost", "missing"};

struct Judgement {
    Keeping keeping;
    Code code;
    const char* reason;
    const char* message;
    const char* next_step;
};

auto judge(const std::string& state, bool wanted) -> Judgement {
    if (state == "reserved") return {Keeping::kept, Code::none, "SlotReserved", "", ""};
    if (state == "extended") return {Keeping::kept, Code::none, "SlotExtended", "", ""};
    if (state == "unreserved")
        return {Keeping::at_risk, Code::pg_slot_at_risk, "SlotUnreserved",
                "the server may remove what the slot still needs at its next checkpoint",
                "Raise max_slot_wal_keep_size at once, or let leat catch up."};
    if (state == "lost")
        return {Keeping::lost, Code::pg_slot_lost, "SlotLost",
                "the server has removed what the slot still needs", start_anew};
    if (!wanted) return {Keeping::none_yet, Code::none, "NoSlotYet", "", ""};
    return {Keeping::lost, Code::pg_slot_lost, "SlotMissing", "the replication slot is gone",
            start_anew};
}

}  // namespace

auto PostgresSource::vital_infos() -> std::vector<VitalInfo> {
    return {retained, safe, wal_status};
}

auto PostgresSource::watch(const std::optional<Position>& durable, const std::stop_token& stop)
    -> Result<SourceVitals> {
    if (!watching_) {
        auto with_timeout = options("watch");
        with_timeout.timeout = std::min(with_timeout.timeout, answer_within);
        watching_ = TRY(Connection::connect(with_timeout));
    }
    const auto since = durable ? quote_text(to_string(Lsn{durable->commit})) + "::pg_lsn" : "NULL";
    const auto answer = watching_->query_within(
        "SELECT slot_name IS NULL, wal_status, (now - restart_lsn)::bigint, safe_wal_size, "
        "greatest(0, now - " +
            since +
            ")::bigint "
            "FROM (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
            "ELSE pg_current_wal_lsn() END AS now) server "
            "LEFT JOIN pg_replication_slots ON slot_name = " +
            quote_text(slot_),
        answer_within, stop);
    if (!answer) {
        watching_.reset();
        return answer.error();
    }
    const auto& row = *answer;
    const std::string state(row.truth(0, 0) ? "missing" : row.text(0, 1));
    const auto judged = judge(state, durable.has_value());
    SourceVitals vitals{judged.keeping, judged.reason, judged.message, judged.next_step, {}, {},
                        judged.code};
    if (durable) vitals.behind_bytes = row.number(0, 4);
    if (!row.is_null(0, 2))
        vitals.vitals.push_back({&retained, static_cast<double>(row.number(0, 2)), ""});
    if (!row.is_null(0, 3))
        vitals.vitals.push_back({&safe, static_cast<double>(row.number(0, 3)), ""});
    for (const auto* one : states)
        vitals.vitals.push_back({&wal_status, state == one ? 1.0 : 0.0, one});
    return vitals;
}

}  // namespace leat::postgres
