// Publication statements and checks.
#include "source/postgres/publication.hpp"

#include <algorithm>
#include <set>

#include "source/postgres/catalog.hpp"
#include "source/postgres/slot.hpp"

namespace leat::postgres {

namespace {

auto refuse(const std::string& what, const std::string& hint) -> Error {
    return Error{Fault::config, what, hint, "postgres publication", Code::pg_publication};
}

auto table_list(const std::vector<TableName>& tables) -> std::string {
    std::string list;
    for (const auto& table : tables) list += (list.empty() ? "" : ", ") + quote_table(table);
    return list;
}

// With the column list of a table that is published in part.
auto published(const TableName& table, const PublicationRequest& request) -> std::string {
    const auto columns = request.columns.find(table);
    if (columns == request.columns.end()) return quote_table(table);
    std::string list;
    for (const auto& column : columns->second)
        list += (list.empty() ? "" : ", ") + quote_name(column);
    return quote_table(table) + " (" + list + ")";
}

auto published_list(const PublicationRequest& request) -> std::string {
    std::string list;
    for (const auto& table : request.tables)
        list += (list.empty() ? "" : ", ") + published(table, request);
    return list;
}

auto operations(bool insert_only) -> std::string {
    return insert_only ? "insert, truncate" : "insert, update, delete, truncate";
}

auto create(Connection& sql, const PublicationRequest& request) -> Result<void> {
    const auto created = sql.query(create_statement(request));
    if (created) return {};
    auto error = created.error();
    if (sqlstate(error) == "42501")
        error.hint = "Let the owner of the tables run: " + create_statement(request) +
                     "; and add `publication: " + request.name + "` to the source.";
    return error;
}

// What is excluded is not sent, and all else is.
auto check_columns(Connection& sql, const PublicationRequest& request) -> Result<void> {
    std::map<TableName, std::set<std::string>> sent;
    const auto rows =
        TRY(sql.query("SELECT schemaname, tablename, unnest(attnames) FROM pg_publication_tables "
                      "WHERE pubname = $1",
                      {request.name}));
    for (int row = 0; row < rows.count(); ++row)
        sent[{std::string(rows.text(row, 0)), std::string(rows.text(row, 1))}].insert(
            std::string(rows.text(row, 2)));
    for (const auto& [table, columns] : request.columns) {
        const auto& there = sent[table];
        auto hint = "Run: ALTER PUBLICATION " + quote_name(request.name) + " DROP TABLE " +
                    quote_table(table) + "; ALTER PUBLICATION " + quote_name(request.name) +
                    " ADD TABLE " + published(table, request) + ";";
        if (request.is_begun)
            hint += " then `leat drop FILE`, move the warehouse file away and start again.";
        for (const auto& column : request.excluded.at(table))
            if (there.contains(column))
                return refuse("publication " + request.name + " sends column " + column + " of " +
                                  to_string(table) + ", which source.columns excludes",
                              hint);
        for (const auto& column : columns)
            if (!request.is_begun && !there.contains(column))
                return refuse("publication " + request.name + " does not send column " + column +
                                  " of " + to_string(table),
                              hint);
    }
    return {};
}

// Columns or rows left out, or generated columns added: the image would not match the stream.
auto check_filters(Connection& sql, const PublicationRequest& request) -> Result<void> {
    const auto& name = request.name;
    const auto version = sql.server_version();
    constexpr int has_filters = 150000;
    constexpr int has_generated = 180000;
    if (version >= has_filters) {
        const auto rows = TRY(sql.query(
            "SELECT n.nspname, c.relname, r.prqual IS NOT NULL FROM pg_publication_rel r "
            "JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE p.pubname = $1 AND (r.prqual IS NOT NULL OR r.prattrs IS NOT NULL)",
            {name}));
        for (int row = 0; row < rows.count(); ++row) {
            const TableName table{std::string(rows.text(row, 0)), std::string(rows.text(row, 1))};
            if (request.columns.contains(table) && !rows.truth(row, 2)) continue;
            return refuse("publication " + name + " has a row filter or a column list for " +
                              to_string(table),
                          "Publish the whole table, or use another publication.");
        }
    }
    if (!request.columns.empty()) TRY(check_columns(sql, request));
    if (version >= has_generated) {
        const auto rows = TRY(sql.query(
            "SELECT 1 FROM pg_publication WHERE pubname = $1 AND pubgencols <> 'n'", {name}));
        if (rows.count() > 0)
            return refuse("publication " + name + " publishes generated columns",
                          "Run: ALTER PUBLICATION " + quote_name(name) +
                              " SET (publish_generated_columns = none);");
    }
    return {};
}

auto check_operations(const Rows& publication, const PublicationRequest& request) -> Result<void> {
    const bool changes_too = publication.truth(0, 1) || publication.truth(0, 2);
    const bool all = publication.truth(0, 0) && publication.truth(0, 3) &&
                     (request.insert_only || (publication.truth(0, 1) && publication.truth(0, 2)));
    if (all && !(request.insert_only && changes_too)) return {};
    return refuse("publication " + request.name + " does not publish exactly " +
                      operations(request.insert_only),
                  "Run: ALTER PUBLICATION " + quote_name(request.name) + " SET (publish = '" +
                      operations(request.insert_only) + "');");
}

// Brings a publication of our own in line with the pipeline file.
auto alter(Connection& sql, const PublicationRequest& request,
           const std::vector<TableName>& missing, const std::vector<TableName>& too_many)
    -> Result<void> {
    const auto change = [&](const std::string& what) -> Result<void> {
        const auto statement = "ALTER PUBLICATION " + quote_name(request.name) + what;
        auto altered = sql.query(statement);
        if (altered) return {};
        auto error = std::move(altered).error();
        if (sqlstate(error) == "42501")
            error.hint = "Let the owner of the publication run: " + statement + ";";
        // Somebody was faster: a leat that was killed on the way, whose server goes on a moment.
        if (sqlstate(error) == "42704" || sqlstate(error) == "42710") error.fault = Fault::retry;
        return error;
    };
    for (const auto& table : missing) TRY(change(" ADD TABLE " + published(table, request)));
    return too_many.empty() ? Result<void>() : change(" DROP TABLE " + table_list(too_many));
}

// Rows of partitions are sent as the captured table's, partitioned or not.
auto check_roots(Connection& sql, const Rows& publication, const PublicationRequest& request)
    -> Result<void> {
    constexpr int via_root = 4;
    const auto statement = [&](const char* value) {
        return "ALTER PUBLICATION " + quote_name(request.name) +
               " SET (publish_via_partition_root = " + value + ")";
    };
    if (!publication.truth(0, via_root)) {
        if (!request.has_roots) return {};
        if (request.users_own)
            return refuse("publication " + request.name +
                              " sends rows of partitioned tables as those "
                              "of their partitions",
                          "Run: " + statement("true") + ";");
        TRY(sql.query(statement("true")));
        return {};
    }
    if (!request.users_own) return {};
    const auto rows = TRY(sql.query(
        "SELECT DISTINCT n.nspname, c.relname, line.relid::regclass::text FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN LATERAL pg_partition_ancestors(c.oid) line ON line.relid <> c.oid "
        "JOIN pg_publication_rel r ON r.prrelid = line.relid "
        "JOIN pg_publication p ON p.oid = r.prpubid AND p.pubname = $1",
        {request.name}));
    for (int row = 0; row < rows.count(); ++row) {
        const TableName table{std::string(rows.text(row, 0)), std::string(rows.text(row, 1))};
        if (std::find(request.tables.begin(), request.tables.end(), table) != request.tables.end())
            return refuse("publication " + request.name + " sends the rows of " + to_string(table) +
                              " as those of " + std::string(rows.text(row, 2)),
                          "Capture that table instead, or run: " + statement("false") + ";");
    }
    return {};
}

auto check_tables(Connection& sql, const PublicationRequest& request) -> Result<void> {
    const auto rows =
        TRY(sql.query("SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = $1",
                      {request.name}));
    std::set<TableName> published;
    for (int row = 0; row < rows.count(); ++row)
        published.insert({std::string(rows.text(row, 0)), std::string(rows.text(row, 1))});
    std::vector<TableName> missing;
    for (const auto& table : request.tables)
        if (!published.contains(table)) missing.push_back(table);
    std::vector<TableName> too_many;
    for (const auto& table : published)
        if (std::find(request.tables.begin(), request.tables.end(), table) == request.tables.end())
            too_many.push_back(table);
    if (!request.users_own) return alter(sql, request, missing, too_many);
    if (!missing.empty())
        return refuse("publication " + request.name + " lacks " + table_list(missing),
                      "Run: ALTER PUBLICATION " + quote_name(request.name) + " ADD TABLE " +
                          table_list(missing) + ";");
    return {};
}

}  // namespace

auto create_statement(const PublicationRequest& request) -> std::string {
    return "CREATE PUBLICATION " + quote_name(request.name) + " FOR TABLE " +
           published_list(request) + " WITH (publish = '" + operations(request.insert_only) + "'" +
           (request.has_roots ? ", publish_via_partition_root = true)" : ")");
}

auto has_publication(Connection& sql, const std::string& name) -> Result<bool> {
    const auto rows = TRY(sql.query("SELECT 1 FROM pg_publication WHERE pubname = $1", {name}));
    return rows.count() > 0;
}

auto ensure_publication(Connection& sql, const PublicationRequest& request) -> Result<void> {
    const auto found = TRY(sql.query(
        "SELECT pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot FROM pg_publication "
        "WHERE pubname = $1",
        {request.name}));
    if (found.count() == 0) {
        if (request.must_exist)
            return Error{
                Fault::fatal,
                "publication is gone: " + request.name + "; changes since then cannot be read",
                start_anew, "postgres publication", Code::pg_publication_gone};
        if (!request.users_own) return create(sql, request);
        return refuse("publication does not exist: " + request.name,
                      "Run: " + create_statement(request) + ";");
    }
    TRY(check_roots(sql, found, request));
    TRY(check_tables(sql, request));
    TRY(check_operations(found, request));
    return check_filters(sql, request);
}

auto drop_publication(Connection& sql, const std::string& name) -> Result<bool> {
    if (!TRY(has_publication(sql, name))) return false;
    TRY(sql.query("DROP PUBLICATION IF EXISTS " + quote_name(name)));
    return true;
}

}  // namespace leat::postgres
