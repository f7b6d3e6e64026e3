// Changes into PostgreSQL: one transaction is one pipeline of prepared statements, and so one
// journey to the server and back.
#include <fmt/core.h>
#include <libpq-fe.h>

#include <charconv>
#include <map>

#include "simulate/postgres_statements.hpp"
#include "simulate/writer.hpp"
#include "source/postgres/client.hpp"

namespace leat::simulate {

namespace {

class PostgresWriter final : public Writer {
public:
    explicit PostgresWriter(postgres::Connection connection) : connection_(std::move(connection)) {}

    auto prepare(const std::vector<Table>& tables) -> Result<std::vector<Keys>> override;
    auto load(const std::vector<Change>& rows) -> Result<void> override;
    auto apply(std::span<const Transaction> transactions, Counts& counts) -> Result<void> override;

private:
    auto prepare_table(const Table& table) -> Result<Keys>;
    auto name_of(const std::string& sql) -> Result<std::string>;
    auto send(const Statement& statement, const std::string& name) -> bool;
    auto collect(const Transaction& transaction, Counts& counts) -> Result<void>;

    postgres::Connection connection_;
    std::vector<Table> tables_;
    std::map<std::string, std::string> prepared_;  // SQL to name
};

auto PostgresWriter::prepare(const std::vector<Table>& tables) -> Result<std::vector<Keys>> {
    tables_ = tables;
    std::vector<Keys> keys;
    for (const auto& table : tables_) keys.push_back(TRY(prepare_table(table)));
    return keys;
}

auto PostgresWriter::prepare_table(const Table& table) -> Result<Keys> {
    const auto found = TRY(connection_.query(
        "SELECT to_regclass($1) IS NOT NULL, obj_description(to_regclass($1), 'pg_class') = $2",
        {sql_name(table), std::string(mark)}));
    if (!found.truth(0, 0)) {
        TRY(connection_.query(fmt::format("{}; COMMENT ON TABLE {} IS {}", create_statement(table),
                                          sql_name(table), postgres::quote_text(mark))));
        return Keys();
    }
    if (!found.truth(0, 1)) return foreign_table(table.name);
    // By COPY, which needs no memory for rows that wait.
    TRY(connection_.start_copy("COPY (SELECT id FROM " + sql_name(table) +
                               " ORDER BY id) TO STDOUT"));
    std::vector<std::int64_t> live;
    for (auto line = TRY(connection_.copied()); line; line = TRY(connection_.copied())) {
        live.push_back(0);
        std::from_chars(line->data(), line->data() + line->size(), live.back());
    }
    return Keys(std::move(live));
}

auto PostgresWriter::load(const std::vector<Change>& rows) -> Result<void> {
    if (rows.empty()) return {};
    const auto& table = tables_.at(rows.front().table);
    const auto sql = copy_statement(table);
    TRY(connection_.query(sql));
    for (const auto& row : rows) {
        const auto line = copy_line(row, table);
        if (PQputCopyData(connection_.raw(), line.data(), static_cast<int>(line.size())) != 1)
            return connection_.failure(sql);
    }
    if (PQputCopyEnd(connection_.raw(), nullptr) != 1) return connection_.failure(sql);
    TRY(connection_.answer(PQgetResult(connection_.raw()), sql));
    while (auto* rest = PQgetResult(connection_.raw())) PQclear(rest);
    return {};
}

auto PostgresWriter::name_of(const std::string& sql) -> Result<std::string> {
    if (const auto found = prepared_.find(sql); found != prepared_.end()) return found->second;
    const auto name = fmt::format("s{}", prepared_.size());
    TRY(connection_.answer(PQprepare(connection_.raw(), name.c_str(), sql.c_str(), 0, nullptr),
                           sql));
    return prepared_[sql] = name;
}

auto PostgresWriter::send(const Statement& statement, const std::string& name) -> bool {
    std::vector<const char*> values;
    values.reserve(statement.values.size());
    for (const auto& value : statement.values) values.push_back(value ? value->c_str() : nullptr);
    return PQsendQueryPrepared(connection_.raw(), name.c_str(), static_cast<int>(values.size()),
                               values.data(), nullptr, nullptr, 0) == 1;
}

auto PostgresWriter::apply(std::span<const Transaction> transactions, Counts& counts)
    -> Result<void> {
    std::vector<std::pair<Statement, std::string>> statements;
    for (const auto& transaction : transactions) {
        for (const auto& change : transaction.changes) {
            auto statement = statement_of(change, tables_.at(change.table));
            auto name = TRY(name_of(statement.sql));
            statements.emplace_back(std::move(statement), std::move(name));
        }
    }
    // What is sent between two synchronisations is one transaction.
    bool sent = PQenterPipelineMode(connection_.raw()) == 1;
    auto next = statements.begin();
    for (const auto& transaction : transactions) {
        const auto end = next + static_cast<std::ptrdiff_t>(transaction.changes.size());
        for (; next != end; ++next) sent = sent && send(next->first, next->second);
        sent = sent && PQpipelineSync(connection_.raw()) == 1;
    }
    if (!sent) return connection_.failure("write");
    Result<void> outcome;
    for (const auto& transaction : transactions) {
        auto collected = collect(transaction, counts);
        if (!collected && outcome) outcome = std::move(collected);
    }
    PQexitPipelineMode(connection_.raw());
    return outcome;
}

// One answer per change, each with an end of its own, then that of the synchronisation.
auto PostgresWriter::collect(const Transaction& transaction, Counts& counts) -> Result<void> {
    auto seen = counts.tables;
    Result<void> outcome;
    for (const auto& change : transaction.changes) {
        auto* const result = PQgetResult(connection_.raw());
        const auto* const affected = PQcmdTuples(result);
        seen.at(change.table).of(change.kind) += std::strtoll(affected, nullptr, 10);
        // After the first error the others only say that they were passed over.
        const auto answer = connection_.answer(result, "write");
        if (!answer && outcome) outcome = answer.error();
        PQclear(PQgetResult(connection_.raw()));
    }
    PQclear(PQgetResult(connection_.raw()));
    if (!outcome) return outcome;
    counts.tables = std::move(seen);
    ++counts.transactions;
    return {};
}

}  // namespace

auto open_postgres_writer(const std::string& uri) -> Result<std::unique_ptr<Writer>> {
    auto connection = TRY(postgres::Connection::connect({uri, "leat simulate"}));
    return std::unique_ptr<Writer>(std::make_unique<PostgresWriter>(std::move(connection)));
}

}  // namespace leat::simulate
