// Checks of the server and the tables.
#include "source/postgres/preflight.hpp"

#include <algorithm>
#include <string>

#include "source/postgres/slot.hpp"

namespace leat::postgres {

namespace {

auto refuse(Code code, const std::string& what, const std::string& hint) -> Error {
    return Error{Fault::config, what, hint, "postgres", code};
}

constexpr auto server_query = R"(
SELECT current_setting('wal_level'), pg_is_in_recovery(), r.rolsuper OR r.rolreplication,
       current_user, (SELECT count(*) FROM pg_replication_slots),
       current_setting('max_replication_slots')::bigint,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_sender_timeout'),
       current_setting('max_wal_senders')::bigint, current_setting('server_version')
  FROM pg_roles r WHERE r.rolname = current_user)";

auto kind_name(char kind) -> std::string {
    switch (kind) {
        case 'v': return "a view";
        case 'm': return "a materialized view";
        case 'f': return "a foreign table";
        default: return "not an ordinary table";
    }
}

auto check_kind(const CatalogTable& table, std::string_view role) -> Result<void> {
    const auto name = to_string(table.name);
    if (table.kind != 'r' && !table.is_partitioned())
        return refuse(Code::pg_table_kind, name + " is " + kind_name(table.kind),
                      "Name the tables it reads instead.");
    if (table.persistence != 'p')
        return refuse(Code::pg_table_kind,
                      name + " is unlogged or temporary: its changes are not in the log",
                      "Run: ALTER TABLE " + quote_table(table.name) + " SET LOGGED;");
    if (!table.readable)
        return refuse(
            Code::pg_right, "no right to read " + name,
            "Run: GRANT SELECT ON " + quote_table(table.name) + " TO " + quote_name(role) + ";");
    for (const auto number : table.key())
        if (table.column(number) == nullptr)
            return refuse(
                Code::pg_no_identity, name + " has a generated column in its key",
                "Run: ALTER TABLE " + quote_table(table.name) + " REPLICA IDENTITY FULL;");
    return {};
}

auto identity_statement(const TableName& table, char identity) -> std::string {
    return "ALTER TABLE " + quote_table(table) + " REPLICA IDENTITY " +
           (identity == 'f'   ? "FULL;"
            : identity == 'n' ? "NOTHING;"
                              : "DEFAULT;");
}

// The server writes old rows as the partition says and labels them as the partitioned table says.
auto check_leaf_identities(const CatalogTable& table) -> Result<void> {
    if (table.is_partitioned() && table.replica_identity == 'i')
        return refuse(
            Code::pg_no_identity,
            to_string(table.name) + " is partitioned and has REPLICA IDENTITY USING INDEX",
            "Run: " + identity_statement(table.name, 'd') + " or FULL, for its partitions too.");
    std::string names;
    std::string statements;
    for (const auto& leaf : table.leaves) {
        if (leaf.replica_identity == table.replica_identity) continue;
        names += (names.empty() ? "" : ", ") + to_string(leaf.name);
        statements += " " + identity_statement(leaf.name, table.replica_identity);
    }
    if (names.empty()) return {};
    return refuse(Code::pg_no_identity,
                  "partitions of " + to_string(table.name) +
                      " have another replica identity than the table: " + names,
                  "Run:" + statements);
}

auto check_leaves(const CatalogTable& table, std::string_view role) -> Result<void> {
    std::string unreadable;
    for (const auto& leaf : table.leaves) {
        const auto name = "partition " + to_string(leaf.name) + " of " + to_string(table.name);
        if (leaf.kind != 'r')
            return refuse(Code::pg_table_kind, name + " is " + kind_name(leaf.kind),
                          "Name the other partitions in source.tables instead of the table.");
        if (leaf.persistence != 'p')
            return refuse(Code::pg_table_kind,
                          name + " is unlogged: its changes are not in the log",
                          "Run: ALTER TABLE " + quote_table(leaf.name) + " SET LOGGED;");
        if (!leaf.readable) unreadable += (unreadable.empty() ? "" : ", ") + quote_table(leaf.name);
    }
    if (unreadable.empty()) return {};
    return refuse(Code::pg_right, "no right to read all partitions of " + to_string(table.name),
                  "Run: GRANT SELECT ON " + unreadable + " TO " + quote_name(role) + ";");
}

// UPDATE and DELETE would fail at the source if what tells old rows were not in the column list.
auto check_exclusion(const CatalogTable& table, const ExcludedColumns& excluded, int server_version)
    -> Result<void> {
    constexpr int has_column_lists = 150000;
    const auto found = excluded.find(table.name);
    if (found == excluded.end()) return {};
    const auto name = to_string(table.name);
    if (server_version < has_column_lists)
        return refuse(Code::pg_table_names,
                      "columns of " + name +
                          " cannot be excluded: PostgreSQL has column lists of "
                          "publications since 15",
                      "Remove the table from source.columns, or upgrade the server.");
    if (table.replica_identity == 'f')
        return refuse(Code::pg_table_names,
                      "columns of " + name +
                          " cannot be excluded: with REPLICA IDENTITY FULL the "
                          "server sends whole rows or refuses changes",
                      "Remove the table from source.columns, or run: ALTER TABLE " +
                          quote_table(table.name) + " REPLICA IDENTITY DEFAULT;");
    for (const auto& column : found->second) {
        const auto* known = table.column(column);
        const bool is_generated = std::any_of(table.generated.begin(), table.generated.end(),
                                              [&](const auto& one) { return one.name == column; });
        if (known == nullptr && !is_generated)
            return refuse(
                Code::pg_table_names,
                "source.columns excludes a column that is not there: " + column + " of " + name,
                "Correct its name.");
        const auto& key = table.key();
        if (known != nullptr && std::find(key.begin(), key.end(), known->number) != key.end())
            return refuse(
                Code::pg_table_names,
                "column " + column + " of " + name + " cannot be excluded: it is part of the key",
                "Remove it from source.columns.");
    }
    if (std::all_of(table.columns.begin(), table.columns.end(),
                    [&](const auto& column) { return found->second.contains(column.name); }))
        return refuse(Code::pg_table_names, "source.columns excludes every column of " + name,
                      "Leave the table out of source.tables instead.");
    return {};
}

// What is asked of columns must be about tables that are captured.
auto check_tables_of(const PreflightRequest& request, std::vector<Error>& problems) -> void {
    for (const auto& [name, columns] : request.excluded)
        if (std::find(request.tables.begin(), request.tables.end(), name) == request.tables.end())
            problems.push_back(
                refuse(Code::pg_table_names,
                       "source.columns names a table that is not captured: " + to_string(name),
                       "Correct its name, or add it to source.tables."));
}

}  // namespace

auto examine_server(Connection& sql, const PreflightRequest& request) -> Result<ServerReport> {
    constexpr int oldest_version = 140000;
    const auto rows = TRY(sql.query(server_query));
    if (rows.count() != 1)
        return refuse(Code::pg_login, "role of source.uri does not exist", "Create it.");
    ServerReport report{{std::chrono::milliseconds(rows.number(0, 6))}, {}};
    const auto add = [&](Code code, const std::string& what, const std::string& hint) {
        report.problems.push_back(refuse(code, what, hint));
    };
    if (sql.server_version() < oldest_version)
        add(Code::pg_version, "PostgreSQL is too old: " + std::string(rows.text(0, 8)),
            "Use PostgreSQL 14 or newer.");
    if (request.failover && sql.server_version() < failover_slots_since)
        add(Code::pg_version,
            "source.failover takes PostgreSQL 17 or newer: " + std::string(rows.text(0, 8)),
            "Remove source.failover, or upgrade the server.");
    if (rows.truth(0, 1))
        add(Code::pg_standby, "server is a standby", "Point source.uri at the primary.");
    if (rows.text(0, 0) != "logical")
        add(Code::pg_wal_level, "wal_level is " + std::string(rows.text(0, 0)),
            "Run: ALTER SYSTEM SET wal_level = logical; and restart the server.");
    if (!rows.truth(0, 2)) {
        const std::string role(rows.text(0, 3));
        add(Code::pg_right, "role " + role + " may not replicate",
            "Run: ALTER ROLE " + quote_name(role) + " REPLICATION;");
    }
    if (request.needs_slot && rows.number(0, 4) >= rows.number(0, 5))
        add(Code::pg_slots_full,
            "no replication slot is free: " + std::string(rows.text(0, 5)) + " are in use",
            "Raise max_replication_slots and restart the server, or drop a slot that "
            "nobody uses: SELECT slot_name FROM pg_replication_slots WHERE NOT active;");
    if (rows.number(0, 7) < 1)
        add(Code::pg_slots_full, "max_wal_senders is 0",
            "Run: ALTER SYSTEM SET max_wal_senders = 10; and restart the server.");
    return report;
}

// A whole old row has columns that are not sent: from 18 on the server refuses such updates.
auto check_updates(const CatalogTable& table, int server_version) -> Result<void> {
    constexpr int refuses = 180000;
    if (server_version < refuses || table.replica_identity != 'f' || table.generated.empty())
        return {};
    const auto way_on = table.primary_key.empty() ? "Give the table a primary key, then run: "
                                                  : std::string("Run: ");
    return refuse(
        Code::pg_no_identity,
        "UPDATE and DELETE would fail at the source once published, because of a generated "
        "column beside REPLICA IDENTITY FULL: " +
            to_string(table.name),
        way_on + identity_statement(table.name, 'd') +
            " or drop the column, or set source.insert_only.");
}

auto examine_tables(Connection& sql, const PreflightRequest& request) -> Result<TableReport> {
    const auto role = TRY(sql.query("SELECT current_user"));
    TableReport report;
    check_tables_of(request, report.problems);
    std::string without;
    std::string statements;
    for (const auto& name : request.tables) {
        auto table = TRY(load_table(sql, name));
        if (!table) {
            report.problems.push_back(refuse(Code::pg_table_missing,
                                             "table does not exist: " + to_string(name),
                                             "Correct source.tables, or create it."));
            continue;
        }
        if (const auto kind = check_kind(*table, role.text(0, 0)); !kind) {
            report.problems.push_back(kind.error());
            continue;
        }
        if (const auto leaves = check_leaves(*table, role.text(0, 0)); !leaves) {
            report.problems.push_back(leaves.error());
            continue;
        }
        if (const auto fits = check_exclusion(*table, request.excluded, sql.server_version());
            !fits) {
            report.problems.push_back(fits.error());
            continue;
        }
        leave_out(*table, request.excluded);
        if (!request.insert_only && table->lacks_identity()) {
            without += (without.empty() ? "" : ", ") + to_string(name);
            statements += " " + identity_statement(name, 'f');
            for (const auto& leaf : table->leaves)
                statements += " " + identity_statement(leaf.name, 'f');
            continue;
        }
        if (const auto updates = check_updates(*table, sql.server_version());
            !request.insert_only && !updates) {
            report.problems.push_back(updates.error());
            continue;
        }
        if (const auto identities = check_leaf_identities(*table);
            !request.insert_only && !identities) {
            report.problems.push_back(identities.error());
            continue;
        }
        report.tables.push_back(*std::move(table));
    }
    if (!without.empty())
        report.problems.push_back(
            refuse(Code::pg_no_identity,
                   "UPDATE and DELETE would fail at the source once published, for want of a "
                   "primary key or replica identity: " +
                       without,
                   "Run:" + statements + " or set source.insert_only."));
    return report;
}

auto check_server(Connection& sql, const PreflightRequest& request) -> Result<ServerFacts> {
    auto report = TRY(examine_server(sql, request));
    if (!report.problems.empty()) return std::move(report.problems.front());
    return report.facts;
}

auto check_tables(Connection& sql, const PreflightRequest& request)
    -> Result<std::vector<CatalogTable>> {
    auto report = TRY(examine_tables(sql, request));
    if (!report.problems.empty()) return std::move(report.problems.front());
    return std::move(report.tables);
}

}  // namespace leat::postgres
