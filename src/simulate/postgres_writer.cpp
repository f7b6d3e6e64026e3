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
    // One statement on its way; without a change for the frame of a transaction.
    struct Step {
        Statement statement;
        std::string name;  // of a prepared one, or empty
        const Change* change = nullptr;
    };

    auto prepare_table(const Table& table) -> Result<Keys>;
    auto name_of(const std::string& sql) -> Result<std::string>;
    auto steps_of(const Transaction& transaction) -> Result<std::vector<Step>>;
    auto send(const Step& step) -> bool;
    auto collect(const std::vector<Step>& steps, bool rolled_back, Counts& counts) -> Result<void>;
    static auto count(const Change& change, const std::string& affected, Counts& counts) -> void;

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
    if (table.row == nullptr) return Keys();
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

auto PostgresWriter::send(const Step& step) -> bool {
    std::vector<const char*> values;
    values.reserve(step.statement.values.size());
    for (const auto& value : step.statement.values)
        values.push_back(value ? value->c_str() : nullptr);
    const auto count = static_cast<int>(values.size());
    return (step.name.empty()
                ? PQsendQueryParams(connection_.raw(), step.statement.sql.c_str(), count, nullptr,
                                    values.data(), nullptr, nullptr, 0)
                : PQsendQueryPrepared(connection_.raw(), step.name.c_str(), count, values.data(),
                                      nullptr, nullptr, 0)) == 1;
}

// BEGIN and its end come only where savepoints need them: what is sent between two synchronisations
// is one transaction.
auto PostgresWriter::steps_of(const Transaction& transaction) -> Result<std::vector<Step>> {
    std::vector<Step> steps;
    const bool framed = transaction.ending != Ending::together;
    if (framed) steps.push_back({{"BEGIN", {}}, "", nullptr});
    for (const auto& change : transaction.changes) {
        if (!change.sql.empty()) {
            steps.push_back({{change.sql, {}}, "", &change});
            continue;
        }
        auto statement = statement_of(change, tables_.at(change.table));
        auto name = TRY(name_of(statement.sql));
        steps.push_back({std::move(statement), std::move(name), &change});
    }
    const bool commits = transaction.ending == Ending::commit;
    if (framed) steps.push_back({{commits ? "COMMIT" : "ROLLBACK", {}}, "", nullptr});
    return steps;
}

auto PostgresWriter::apply(std::span<const Transaction> transactions, Counts& counts)
    -> Result<void> {
    std::vector<std::vector<Step>> all;
    for (const auto& transaction : transactions) all.push_back(TRY(steps_of(transaction)));
    bool sent = PQenterPipelineMode(connection_.raw()) == 1;
    for (const auto& steps : all) {
        for (const auto& step : steps) sent = sent && send(step);
        sent = sent && PQpipelineSync(connection_.raw()) == 1;
    }
    if (!sent) return connection_.failure("write");
    Result<void> outcome;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto collected = collect(all[i], transactions[i].ending == Ending::roll_back, counts);
        if (!collected && outcome) outcome = std::move(collected);
    }
    PQexitPipelineMode(connection_.raw());
    return outcome;
}

// One answer per step, each with an end of its own, then that of the synchronisation.
auto PostgresWriter::collect(const std::vector<Step>& steps, bool rolled_back, Counts& counts)
    -> Result<void> {
    auto seen = counts;
    Result<void> outcome;
    for (const auto& step : steps) {
        auto* const result = PQgetResult(connection_.raw());
        const std::string affected = PQcmdTuples(result);
        // After the first error the others only say that they were passed over.
        const auto answer = connection_.answer(result, "write");
        if (!answer && outcome) outcome = answer.error();
        PQclear(PQgetResult(connection_.raw()));
        if (step.change != nullptr && step.change->kept && !rolled_back)
            count(*step.change, affected, seen);
    }
    PQclear(PQgetResult(connection_.raw()));
    if (!outcome) return outcome;
    counts = std::move(seen);
    ++counts.transactions;
    if (rolled_back) ++counts.rolled_back;
    return {};
}

// A statement that changes a table says no number.
auto PostgresWriter::count(const Change& change, const std::string& affected, Counts& counts)
    -> void {
    if (change.kind == Kind::control) return;
    const auto rows = affected.empty() ? 1 : std::strtoll(affected.c_str(), nullptr, 10);
    counts.tables.at(change.table).of(change.kind) += rows;
    if (rows == 0) ++counts.missed;
}

}  // namespace

auto open_postgres_writer(const std::string& uri) -> Result<std::unique_ptr<Writer>> {
    auto connection = postgres::Connection::connect({uri, "leat simulate"});
    if (!connection) {
        // There is no pipeline file here, where it could be corrected.
        auto error = std::move(connection).error();
        constexpr std::string_view option = "source.uri";
        if (const auto at = error.hint.find(option); at != std::string::npos)
            error.hint.replace(at, option.size(), "the URI");
        return error;
    }
    return std::unique_ptr<Writer>(std::make_unique<PostgresWriter>(std::move(*connection)));
}

}  // namespace leat::simulate
