// Publication statements and checks.
#include "source/postgres/publication.hpp"

#include <algorithm>
#include <set>

#include "source/postgres/catalog.hpp"

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

// Columns or rows left out, or generated columns added: the image would not match the stream.
auto check_filters(Connection& sql, const std::string& name) -> Result<void> {
    const auto version = sql.server_version();
    constexpr int has_filters = 150000;
    constexpr int has_generated = 180000;
    if (version >= has_filters) {
        const auto rows = TRY(sql.query(
            "SELECT r.prrelid::regclass FROM pg_publication_rel r "
            "JOIN pg_publication p ON p.oid = r.prpubid "
            "WHERE p.pubname = $1 AND (r.prqual IS NOT NULL OR r.prattrs IS NOT NULL)", {name}));
        if (rows.count() > 0)
            return refuse("publication " + name + " has a row filter or a column list for " +
                              std::string(rows.text(0, 0)),
                          "Publish the whole table, or use another publication.");
    }
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

auto check_tables(Connection& sql, const PublicationRequest& request) -> Result<void> {
    const auto rows = TRY(sql.query(
        "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = $1",
        {request.name}));
    std::set<TableName> published;
    for (int row = 0; row < rows.count(); ++row)
        published.insert({std::string(rows.text(row, 0)), std::string(rows.text(row, 1))});
    std::vector<TableName> missing;
    for (const auto& table : request.tables)
        if (!published.contains(table)) missing.push_back(table);
    if (!missing.empty())
        return refuse("publication " + request.name + " lacks " + table_list(missing),
                      "Run: ALTER PUBLICATION " + quote_name(request.name) + " ADD TABLE " +
                          table_list(missing) + "; then `leat drop FILE`, move the warehouse file away and start again.");
    if (!request.users_own && published.size() > request.tables.size())
        return refuse("publication " + request.name + " holds more tables than source.tables names",
                      "Run: ALTER PUBLICATION " + quote_name(request.name) + " SET TABLE " +
                          table_list(request.tables) + ";");
    return {};
}

}  // namespace

auto create_statement(const PublicationRequest& request) -> std::string {
    return "CREATE PUBLICATION " + quote_name(request.name) + " FOR TABLE " +
           table_list(request.tables) + " WITH (publish = '" + operations(request.insert_only) + "')";
}

auto has_publication(Connection& sql, const std::string& name) -> Result<bool> {
    const auto rows = TRY(sql.query("SELECT 1 FROM pg_publication WHERE pubname = $1", {name}));
    return rows.count() > 0;
}

auto ensure_publication(Connection& sql, const PublicationRequest& request) -> Result<void> {
    const auto found = TRY(sql.query(
        "SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication WHERE pubname = $1",
        {request.name}));
    if (found.count() == 0) {
        if (request.must_exist)
            return Error{Fault::fatal, "publication is gone: " + request.name +
                             "; changes since then cannot be read",
                         "Run `leat drop FILE`, move the warehouse file away and start again.",
                         "postgres publication", Code::pg_publication_gone};
        if (!request.users_own) return create(sql, request);
        return refuse("publication does not exist: " + request.name,
                      "Run: " + create_statement(request) + ";");
    }
    TRY(check_tables(sql, request));
    TRY(check_operations(found, request));
    return check_filters(sql, request.name);
}

auto drop_publication(Connection& sql, const std::string& name) -> Result<bool> {
    if (!TRY(has_publication(sql, name))) return false;
    TRY(sql.query("DROP PUBLICATION IF EXISTS " + quote_name(name)));
    return true;
}

}  // namespace leat::postgres
