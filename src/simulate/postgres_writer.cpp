// Changes into PostgreSQL: one transaction is one pipeline of prepared statements, and so one
// journey to the server and back.
#include <fmt/core.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "simulate/postgres_statements.hpp"
#include "simulate/writer.hpp"
#include "source/postgres/client.hpp"

namespace leat::simulate {

namespace {

class PostgresWriter final : public Writer {
public:
    PostgresWriter(postgres::Connection connection, std::vector<Table> tables, bool two_steps)
        : connection_(std::move(connection)), tables_(std::move(tables)), two_steps_(two_steps) {}

    auto prepare() -> Result<std::vector<Keys>> override;
    auto load(const std::vector<Change>& rows) -> Result<void> override;
    auto apply(std::span<const Transaction> transactions, Counts& counts) -> Result<void> override;

private:
    // One statement on its way; without a change for the frame of a transaction.
    struct Step {
        Statement statement;
        std::string name;  // of a prepared one, or empty
        const Change* change = nullptr;
        bool apart = false;  // the pipeline is synchronised before it
    };

    auto prepare_table(const Table& table) -> Result<Keys>;
    auto name_of(const std::string& sql) -> Result<std::string>;
    auto steps_of(const Transaction& transaction) -> Result<std::vector<Step>>;
    auto add_end(std::vector<Step>& steps, Ending ending) -> void;
    auto send(const Step& step) -> bool;
    auto send(const std::vector<Step>& steps) -> bool;
    auto collect(const std::vector<Step>& steps, const Transaction& transaction, Counts& counts)
        -> Result<void>;
    static auto count(const Change& change, const std::string& affected, Counts& counts) -> void;

    postgres::Connection connection_;
    const std::vector<Table> tables_;
    const bool two_steps_;                         // the server takes PREPARE TRANSACTION
    std::map<std::string, std::string> prepared_;  // SQL to name
};

// What concurrent transactions may do to each other.
auto is_conflict(const Error& error) -> bool {
    constexpr std::array<std::string_view, 9> states = {
        "40001", "40P01", "55P03",   // serialization, deadlock, lock not to be had
        "23505", "42701", "42P07",   // a row, column or table is there already
        "42P01", "42703", "42704"};  // a table, column or other thing is not there
    return std::find(states.begin(), states.end(), postgres::sqlstate(error)) != states.end();
}

auto PostgresWriter::prepare() -> Result<std::vector<Keys>> {
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
// is one transaction. After an error the server skips all up to the next synchronisation, so the
// end comes behind one.
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
    if (framed) add_end(steps, transaction.ending);
    return steps;
}

auto PostgresWriter::add_end(std::vector<Step>& steps, Ending ending) -> void {
    const bool prepares = ending == Ending::commit_prepared || ending == Ending::roll_back_prepared;
    const std::string verb = is_rolled_back(ending) ? "ROLLBACK" : "COMMIT";
    if (!prepares || !two_steps_) {
        steps.push_back({{verb, {}}, "", nullptr, true});
        return;
    }
    const auto name = fmt::format("'leat simulate {}'", connection_.backend_pid());
    steps.push_back({{"PREPARE TRANSACTION " + name, {}}, "", nullptr, true});
    steps.push_back({{verb + " PREPARED " + name, {}}, "", nullptr, true});
}

auto PostgresWriter::send(const std::vector<Step>& steps) -> bool {
    for (const auto& step : steps) {
        if (step.apart && PQpipelineSync(connection_.raw()) != 1) return false;
        if (!send(step)) return false;
    }
    return PQpipelineSync(connection_.raw()) == 1;
}

auto PostgresWriter::apply(std::span<const Transaction> transactions, Counts& counts)
    -> Result<void> {
    counts.tables.resize(tables_.size());
    std::vector<std::vector<Step>> all;
    for (const auto& transaction : transactions) all.push_back(TRY(steps_of(transaction)));
    bool sent = PQenterPipelineMode(connection_.raw()) == 1;
    for (const auto& steps : all) sent = sent && send(steps);
    if (!sent) return connection_.failure("write");
    Result<void> outcome;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto collected = collect(all[i], transactions[i], counts);
        if (!collected && outcome) outcome = std::move(collected);
    }
    PQexitPipelineMode(connection_.raw());
    return outcome;
}

// One answer per step, each with an end of its own, then that of the synchronisation.
auto PostgresWriter::collect(const std::vector<Step>& steps, const Transaction& transaction,
                             Counts& counts) -> Result<void> {
    const bool rolled_back = is_rolled_back(transaction.ending);
    auto seen = counts;
    Result<void> outcome;
    for (const auto& step : steps) {
        if (step.apart) PQclear(PQgetResult(connection_.raw()));
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
    if (!outcome && is_conflict(outcome.error())) {
        ++counts.conflicts;
        counts.undone += transaction.kept();
        return {};
    }
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

auto open_postgres_writer(const std::string& uri, std::vector<Table> tables)
    -> Result<std::unique_ptr<Writer>> {
    auto connection = postgres::Connection::connect({uri, "leat simulate"});
    if (!connection) {
        // There is no pipeline file here, where it could be corrected.
        auto error = std::move(connection).error();
        constexpr std::string_view option = "source.uri";
        if (const auto at = error.hint.find(option); at != std::string::npos)
            error.hint.replace(at, option.size(), "the URI");
        return error;
    }
    const auto prepared = TRY(connection->query("SHOW max_prepared_transactions"));
    return std::unique_ptr<Writer>(std::make_unique<PostgresWriter>(
        std::move(*connection), std::move(tables), prepared.number(0, 0) > 0));
}

}  // namespace leat::simulate
