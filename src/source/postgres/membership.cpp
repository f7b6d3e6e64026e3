// Membership: asked of the catalog in one query, kept in a file of the work folder, compared.
#include "source/postgres/membership.hpp"

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "base/sync.hpp"
#include "source/postgres/catalog.hpp"
#include "source/postgres/column_match.hpp"
#include "source/postgres/slot.hpp"

namespace leat::postgres {

namespace {

constexpr std::chrono::seconds answer_within(30);

// Rows of six texts, the first says of what: publication, table, publisher, leaf. A table is
// published by what publishes any of its ancestors too. A partition that is being detached
// (CONCURRENTLY) is none any more.
constexpr auto membership_query = R"(
WITH RECURSIVE publication AS (
  SELECT oid, xmin, puballtables FROM pg_publication WHERE pubname = %NAME%),
named AS (
  SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid IN (%TABLES%)),
line AS (
  SELECT oid, oid AS ancestor FROM named
  UNION SELECT oid, relid FROM named, LATERAL pg_partition_ancestors(oid)),
tree AS (
  SELECT named.oid AS root, i.inhrelid AS oid, i.xmin::text AS edges, i.xmin AS xid, i.cmin AS command
    FROM named JOIN pg_class c ON c.oid = named.oid AND c.relkind = 'p'
    JOIN pg_inherits i ON i.inhparent = named.oid AND NOT i.inhdetachpending
  UNION ALL
  SELECT tree.root, i.inhrelid, tree.edges || '.' || i.xmin,
         CASE WHEN age(i.xmin) <= age(tree.xid) THEN i.xmin ELSE tree.xid END,
         CASE WHEN age(i.xmin) <= age(tree.xid) THEN i.cmin ELSE tree.command END
    FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid AND NOT i.inhdetachpending)
SELECT 'publication', 0, oid || ':' || xmin, '', '', '' FROM publication
UNION ALL
SELECT 'slot', 0, restart_lsn::text, '', '', '' FROM pg_replication_slots
 WHERE slot_name = %SLOT% AND restart_lsn IS NOT NULL
UNION ALL SELECT 'table', oid::bigint, nspname, relname, '', '' FROM named
UNION ALL
SELECT 'publisher', line.oid, 'table ' || r.oid, '', '', ''
  FROM line JOIN pg_publication_rel r ON r.prrelid = line.ancestor
  JOIN publication p ON p.oid = r.prpubid
UNION ALL
SELECT 'publisher', named.oid, 'all', '', '', '' FROM named, publication WHERE puballtables
UNION ALL
SELECT 'leaf', tree.root, tree.oid::text, edges, xid || ' ' || command, c.relreplident::text
  FROM tree JOIN pg_class c ON c.oid = tree.oid WHERE c.relkind <> 'p'
)";

constexpr auto schema_query = R"(
UNION ALL
SELECT 'publisher', line.oid, 'schema ' || s.oid, '', '', ''
  FROM line JOIN pg_class c ON c.oid = line.ancestor
  JOIN pg_publication_namespace s ON s.pnnspid = c.relnamespace
  JOIN publication p ON p.oid = s.pnpubid
)";

auto replace(std::string& text, std::string_view what, const std::string& with) -> void {
    text.replace(text.find(what), what.size(), with);
}

auto query_for(const MembershipRequest& request, int server_version) -> std::string {
    constexpr int has_schemas = 150000;
    std::string oids;
    for (const auto oid : request.tables) oids += (oids.empty() ? "" : ", ") + std::to_string(oid);
    std::string query = membership_query;
    if (server_version >= has_schemas) query += schema_query;
    replace(query, "%SLOT%", quote_text(request.slot));
    replace(query, "%NAME%", quote_text(request.publication));
    replace(query, "%TABLES%", oids);
    return query;
}

auto number_of(std::string_view text) -> std::uint32_t {
    return static_cast<std::uint32_t>(std::strtoul(std::string(text).c_str(), nullptr, 10));
}

auto unreadable(const std::filesystem::path& file, const char* doing) -> Error {
    return Error{Fault::config, std::string("cannot ") + doing + " " + file.string(),
                 "Make the folder readable and writable, and see that the disk has room.",
                 "postgres", Code::pg_work_folder};
}

auto table_of(Connection& sql, std::uint32_t oid) -> Result<std::string> {
    const auto rows = TRY(sql.query(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = $1",
        {std::to_string(oid)}));
    if (rows.count() == 0) return std::string();
    return quote_table({std::string(rows.text(0, 0)), std::string(rows.text(0, 1))});
}

// Rows that were in the leaf before it was joined were not sent. Versions so old that their numbers
// seem to lie ahead are from before, too.
auto check_came_empty(Connection& sql, const TableName& table, std::uint32_t oid, const Leaf& leaf)
    -> Result<void> {
    const auto name = TRY(table_of(sql, oid));
    if (name.empty()) return {};  // dropped just now
    const auto xid = quote_text(std::to_string(leaf.xid)) + "::xid";
    const auto found = TRY(
        sql.query("SELECT 1 FROM ONLY " + name + " WHERE age(xmin) > age(" + xid +
                  ") OR age(xmin) < 0 OR "
                  "(xmin = " +
                  xid + " AND cmin::text::bigint < " + std::to_string(leaf.command) + ") LIMIT 1"));
    if (found.count() == 0) return {};
    return cannot_follow(table,
                         "partition " + name + " was attached with rows, which were not sent");
}

auto check_leaves(Connection& sql, const TableComparison& compared) -> Result<void> {
    for (const auto& [oid, leaf] : compared.was.leaves) {
        if (compared.now.leaves.contains(oid)) continue;
        const auto name = TRY(table_of(sql, oid));
        return cannot_follow(compared.table, name.empty()
                                                 ? "a partition was dropped, and its rows with it"
                                                 : "partition " + name + " was detached");
    }
    for (const auto& [oid, leaf] : compared.now.leaves) {
        const auto was = compared.was.leaves.find(oid);
        if (was == compared.was.leaves.end() || was->second.edges != leaf.edges)
            TRY(check_came_empty(sql, compared.table, oid, leaf));
        else if (was->second.replica_identity != leaf.replica_identity)
            return cannot_follow(compared.table, "the replica identity of a partition changed: " +
                                                     TRY(table_of(sql, oid)));
    }
    return {};
}

}  // namespace

auto load_membership(Connection& sql, const MembershipRequest& request, const std::stop_token& stop)
    -> Result<Membership> {
    Membership membership;
    membership.slot.token = request.token;
    const auto rows =
        TRY(sql.query_within(query_for(request, sql.server_version()), answer_within, stop));
    std::map<std::uint32_t, TableMembership> by_oid;
    for (int row = 0; row < rows.count(); ++row) {
        const auto kind = rows.text(row, 0);
        const std::string text(rows.text(row, 2));
        auto& table = by_oid[number_of(rows.text(row, 1))];
        if (kind == "publication") membership.publication = text;
        if (kind == "slot") membership.slot.restart = TRY(parse_lsn(text));
        if (kind == "publisher") table.publishers.insert(text);
        if (kind != "leaf") continue;
        const auto written = rows.text(row, 4);
        table.leaves[number_of(text)] = {std::string(rows.text(row, 3)), number_of(written),
                                         number_of(written.substr(written.find(' '))),
                                         rows.text(row, 5).front()};
    }
    for (int row = 0; row < rows.count(); ++row) {
        if (rows.text(row, 0) != "table") continue;
        auto& table = by_oid[number_of(rows.text(row, 1))];
        table.oid = number_of(rows.text(row, 1));
        membership.tables[{std::string(rows.text(row, 2)), std::string(rows.text(row, 3))}] =
            std::move(table);
    }
    return membership;
}

auto read_membership(const std::filesystem::path& file) -> Result<std::optional<Membership>> {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return std::optional<Membership>();
    std::ifstream in(file);
    Membership membership;
    std::size_t tables = 0;
    in >> std::quoted(membership.slot.token) >> membership.slot.restart.value >>
        std::quoted(membership.publication) >> tables;
    for (; in && tables > 0; --tables) {
        TableName name;
        std::size_t publishers = 0;
        std::size_t leaves = 0;
        in >> std::quoted(name.schema) >> std::quoted(name.table);
        auto& table = membership.tables[name];
        in >> table.oid >> publishers >> leaves;
        for (; in && publishers > 0; --publishers) {
            std::string publisher;
            in >> std::quoted(publisher);
            table.publishers.insert(std::move(publisher));
        }
        for (; in && leaves > 0; --leaves) {
            std::uint32_t oid = 0;
            Leaf leaf;
            in >> oid >> leaf.edges >> leaf.xid >> leaf.command >> leaf.replica_identity;
            table.leaves[oid] = std::move(leaf);
        }
    }
    if (!in) return unreadable(file, "read");
    return std::optional(std::move(membership));
}

auto write_membership(const std::filesystem::path& file, const Membership& membership)
    -> Result<void> {
    std::ostringstream out;
    out << std::quoted(membership.slot.token) << ' ' << membership.slot.restart.value << '\n'
        << std::quoted(membership.publication) << ' ' << membership.tables.size() << '\n';
    for (const auto& [name, table] : membership.tables) {
        out << std::quoted(name.schema) << ' ' << std::quoted(name.table) << ' ' << table.oid << ' '
            << table.publishers.size() << ' ' << table.leaves.size() << '\n';
        for (const auto& publisher : table.publishers) out << std::quoted(publisher) << '\n';
        for (const auto& [oid, leaf] : table.leaves)
            out << oid << ' ' << leaf.edges << ' ' << leaf.xid << ' ' << leaf.command << ' '
                << leaf.replica_identity << '\n';
    }
    if (!replace_file(file, out.str())) return unreadable(file, "write");
    return {};
}

auto check_membership(Connection& sql, const TableComparison& compared) -> Result<void> {
    const auto& [table, was, now] = compared;
    if (was.oid != now.oid) return cannot_follow(table, "it was dropped and made again");
    const bool stayed =
        std::any_of(was.publishers.begin(), was.publishers.end(),
                    [&](const auto& one) { return compared.now.publishers.contains(one); });
    if (!stayed)
        return cannot_follow(table,
                             "it was taken out of the publication, or published anew with "
                             "other columns or rows");
    return check_leaves(sql, compared);
}

auto check_slot_mark(const SlotMark& was, const SlotMark& now) -> Result<void> {
    if (was.token != now.token || now.restart.value == 0 || was.restart <= now.restart) return {};
    return Error{Fault::fatal,
                 "server went back in time (restored from a backup, or its log was lost): it kept "
                 "the slot's log from " +
                     to_string(was.restart) + " on, now from " + to_string(now.restart),
                 start_anew, "postgres slot", Code::pg_went_back};
}

auto check_publication(const Membership& was, const Membership& now) -> Result<void> {
    if (was.publication == now.publication) return {};
    return Error{
        Fault::fatal,
        "publication was altered, or dropped and made again: what it does not publish cannot "
        "be read, and it may not have published everything meanwhile",
        start_anew, "postgres publication", Code::pg_publication};
}

}  // namespace leat::postgres
