// PostgresSource as Checkable: what `leat check` says about server, rights, tables, publication and
// slot. Looks only; what would make open() fail is a problem here, in the same words.
#include <algorithm>
#include <utility>

#include "source/postgres/postgres_source.hpp"

namespace leat::postgres {

namespace {

using Findings = std::vector<Finding>;

auto ok(std::string what) -> Finding {
    return {Severity::ok, std::move(what), ""};
}
auto notice(std::string what, std::string remedy) -> Finding {
    return {Severity::notice, std::move(what), std::move(remedy)};
}

auto megabytes(std::int64_t bytes) -> std::string {
    return std::to_string(bytes / (1024 * 1024)) + " MiB";
}

auto check_settings(Connection& sql, const PreflightRequest& request, Findings& findings)
    -> Result<void> {
    const auto rows = TRY(sql.query(
        "SELECT current_setting('server_version'), current_database(), current_user, "
        "(SELECT count(*) FROM pg_replication_slots), current_setting('max_replication_slots'), "
        "(SELECT count(*) FROM pg_stat_replication), current_setting('max_wal_senders')::bigint, "
        "(SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size')"));
    const auto text = [&](int column) { return std::string(rows.text(0, column)); };
    findings.push_back(
        ok("connected: PostgreSQL " + text(0) + ", database " + text(1) + ", role " + text(2)));
    const auto report = TRY(examine_server(sql, request));
    for (const auto& found : report.problems) findings.push_back(problem_of(found));
    if (report.problems.empty())
        findings.push_back(ok("wal_level is logical, the role may replicate, " + text(3) + " of " +
                              text(4) + " replication slots and " + text(5) + " of " + text(6) +
                              " senders are in use"));
    // Without one a full set of senders would be found only by connecting, which may be retried.
    if (rows.number(0, 6) > 0 && rows.number(0, 5) >= rows.number(0, 6))
        findings.push_back({Severity::problem, "no sender is free: " + text(6) + " are in use",
                            "Raise max_wal_senders and restart the server.", Code::pg_slots_full});
    if (text(7) == "-1")
        findings.push_back(notice(
            "max_slot_wal_keep_size is -1: while the pipeline does not run, its slot keeps log "
            "until the server's disk is full",
            "Set a bound that the pipeline may fall behind, for instance: ALTER SYSTEM SET "
            "max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf();"));
    return {};
}

auto check_failover(Connection& sql, bool wanted, Findings& findings) -> Result<void> {
    if (sql.server_version() < failover_slots_since) return {};
    const auto rows = TRY(sql.query(
        "SELECT current_setting('synchronized_standby_slots') = '', string_agg(slot_name, ', ') "
        "FROM pg_replication_slots WHERE slot_type = 'physical'"));
    const bool has_standbys = !rows.is_null(0, 1);
    const std::string slots(has_standbys ? rows.text(0, 1) : "the slots of the standbys");
    if (wanted && rows.truth(0, 0))
        findings.push_back(notice(
            "synchronized_standby_slots is empty: leat may read a change before a standby has it, "
            "and a failover to that standby is a gap then",
            "Run: ALTER SYSTEM SET synchronized_standby_slots = '" + slots +
                "'; SELECT pg_reload_conf();"));
    if (!wanted && has_standbys)
        findings.push_back(
            notice("the server has standbys, and they do not keep this pipeline's slot "
                   "in step: a failover will be a gap",
                   "Set source.failover: true; the guide on PostgreSQL says what the "
                   "standby needs."));
    return {};
}

auto columns_of(const CatalogTable& table) -> std::string {
    std::string names;
    for (const auto number : table.key())
        if (const auto* column = table.column(number); column != nullptr)
            names += (names.empty() ? "" : ", ") + column->name;
    return names;
}

auto describe(const CatalogTable& table, bool insert_only) -> std::string {
    const auto name = to_string(table.name) + ": ";
    switch (table.identity(insert_only)) {
        case RowIdentity::key: return name + "key " + columns_of(table);
        case RowIdentity::full_row: return name + "no key, rows are told apart as a whole";
        case RowIdentity::append_only: return name + "inserts only";
    }
    return name;
}

auto describe_table(const CatalogTable& table, bool insert_only, Findings& findings) -> void {
    const auto parts =
        table.is_partitioned() ? ", " + std::to_string(table.leaves.size()) + " partitions" : "";
    findings.push_back(ok(describe(table, insert_only) + parts));
    if (table.is_partitioned())
        findings.push_back(
            notice(to_string(table.name) +
                       ": TRUNCATE of a single partition is not sent by the server, nor "
                       "are the rows of a partition that is attached, detached or dropped",
                   "Use DELETE, or capture the partitions by name instead of the table."));
    if (table.generated.empty()) return;
    std::string names;
    for (const auto& column : table.generated) names += (names.empty() ? "" : ", ") + column.name;
    findings.push_back(
        notice(to_string(table.name) + ": generated columns are not captured: " + names,
               "Compute them by a transform, or by a view over the warehouse."));
}

// Making a publication takes CREATE on the database and the ownership of every table.
auto check_rights(Connection& sql, const PublicationRequest& request, Findings& findings)
    -> Result<void> {
    const auto rights = TRY(sql.query(
        "SELECT has_database_privilege(current_database(), 'CREATE'), current_database(), "
        "current_user"));
    const std::string role(rights.text(0, 2));
    std::string foreign;
    for (const auto& table : request.tables) {
        const auto owned =
            TRY(sql.query("SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                          "WHERE n.nspname "
                          "= $1 AND c.relname = $2 AND NOT pg_has_role(c.relowner, 'USAGE')",
                          {table.schema, table.table}));
        if (owned.count() > 0) foreign += (foreign.empty() ? "" : ", ") + to_string(table);
    }
    if (!foreign.empty())
        findings.push_back({Severity::problem,
                            "only the owner of a table may publish it, and role " + role +
                                " does not own " + foreign,
                            "Let the owner run: " + create_statement(request) +
                                "; and add `publication: " + request.name + "` to the source.",
                            Code::pg_right});
    else if (!rights.truth(0, 0))
        findings.push_back({Severity::problem,
                            "role " + role + " may not create a publication in this database",
                            "Run: GRANT CREATE ON DATABASE " + quote_name(rights.text(0, 1)) +
                                " TO " + quote_name(role) + ";",
                            Code::pg_right});
    else findings.push_back(ok("publication " + request.name + " will be made"));
    return {};
}

auto check_publication(Connection& sql, const PublicationRequest& request, Findings& findings)
    -> Result<void> {
    const bool exists = TRY(has_publication(sql, request.name));
    if (!exists && !request.users_own) return check_rights(sql, request, findings);
    const auto fits = ensure_publication(sql, request);  // only compares in this case
    if (fits) findings.push_back(ok("publication " + request.name + " exists and fits"));
    else findings.push_back(problem_of(fits.error()));
    return {};
}

auto describe_slot(const std::string& name, const SlotState& slot, std::string_view database)
    -> Finding {
    if (slot.plugin != "pgoutput" || slot.database != database)
        return {Severity::problem,
                "replication slot is not this pipeline's: " + name + " (" + slot.plugin +
                    ", database " + slot.database + ")",
                "Choose another name in source.slot.", Code::pg_slot_foreign};
    if (slot.wal_status == "lost" || !slot.has_restart)
        return {Severity::problem,
                "replication slot is invalidated, the server removed what it needs: " + name,
                start_anew, Code::pg_slot_lost};
    if (slot.active)
        return notice("replication slot " + name + " is being read by server process " +
                          std::to_string(slot.active_pid),
                      "That is this pipeline if it runs now; otherwise choose another name in "
                      "source.slot.");
    return ok("replication slot " + name + " exists and keeps " + megabytes(slot.kept_bytes) +
              " of the server's log");
}

}  // namespace

auto PostgresSource::check() -> Result<std::vector<Finding>> {
    Findings findings;
    auto sql = TRY(Connection::connect(options("check")));
    const auto slot = TRY(find_slot(sql, slot_));
    const auto selected = select_tables(sql);
    const PreflightRequest request{selected ? selected->tables : std::vector<TableName>(),
                                   excluded_, config_.insert_only, !slot.has_value(),
                                   config_.failover};
    TRY(check_settings(sql, request, findings));
    TRY(check_failover(sql, config_.failover, findings));
    if (!selected) {
        findings.push_back(problem_of(selected.error()));
        return findings;
    }
    for (const auto& match : selected->matches) findings.push_back(ok(describe(match)));
    const auto tables = TRY(examine_tables(sql, request));
    for (const auto& table : tables.tables) describe_table(table, config_.insert_only, findings);
    for (const auto& found : tables.problems) findings.push_back(problem_of(found));
    auto wanted = publication_of(request.tables, tables.tables);
    wanted.is_begun = slot.has_value();
    TRY(check_publication(sql, wanted, findings));
    const auto database = TRY(sql.query("SELECT current_database()"));
    if (slot) findings.push_back(describe_slot(slot_, *slot, database.text(0, 0)));
    else findings.push_back(ok("replication slot " + slot_ + " will be made"));
    return findings;
}

}  // namespace leat::postgres
