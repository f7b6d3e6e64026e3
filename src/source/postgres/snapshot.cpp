// Holding the consistent point: import, lock, compare.
#include "source/postgres/snapshot.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace leat::postgres {

namespace {

auto begin_with(const std::string& snapshot) -> std::string {
    return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT " +
           quote_text(snapshot);
}

}  // namespace

auto read_text_columns(const std::filesystem::path& file) -> Result<TextColumns> {
    TextColumns columns;
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);)
        if (!line.empty()) columns.insert(line);
    if (lines.bad())
        return Error{Fault::config, "cannot read " + file.string(), "Make it readable.", "",
                     Code::pg_work_folder};
    return columns;
}

TableImages::TableImages(ImageOptions options, Connection coordinator)
    : options_(std::move(options)), coordinator_(std::move(coordinator)) {}

auto TableImages::make(ImageOptions options, const std::stop_token& stop)
    -> Result<std::unique_ptr<TableImages>> {
    auto coordinator = TRY(Connection::connect(options.sql));
    std::unique_ptr<TableImages> made(new TableImages(std::move(options), std::move(coordinator)));
    TRY(made->take_over());
    TRY(made->lock(stop));
    TRY(made->describe());
    TRY(made->lock_leaves(stop));
    TRY(made->compare());
    made->plan();
    return made;
}

auto TableImages::take_over() -> Result<void> {
    TRY(coordinator_.query(begin_with(options_.snapshot)));
    const auto rows = TRY(coordinator_.query(
        "SELECT pg_export_snapshot(), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"));
    snapshot_ = rows.text(0, 0);
    time_us_ = rows.number(0, 1);
    return {};
}

// ACCESS SHARE keeps rewrites, truncation and column changes away until the image is read.
auto TableImages::lock(const std::stop_token& stop) -> Result<void> {
    for (const auto& table : options_.tables)
        TRY(coordinator_.query_patiently(
            "LOCK TABLE ONLY " + quote_table(table) + " IN ACCESS SHARE MODE", stop, {}));
    return {};
}

auto TableImages::lock_leaves(const std::stop_token& stop) -> Result<void> {
    for (const auto& table : tables_)
        for (const auto& leaf : table.leaves) {
            const auto locked = coordinator_.query_patiently(
                "LOCK TABLE ONLY " + quote_table(leaf.name) + " IN ACCESS SHARE MODE", stop, {});
            if (locked) continue;
            constexpr auto no_such_table = "42P01";
            if (sqlstate(locked.error()) != no_such_table) return locked.error();
            return Error{Fault::retry,
                         "partition went while the snapshot began: " + to_string(leaf.name), "",
                         "postgres snapshot", Code::pg_snapshot_again};
        }
    return {};
}

auto TableImages::describe() -> Result<void> {
    const auto text_columns = TRY(read_text_columns(options_.text_columns_file));
    TypeCatalog types;
    for (const auto& name : options_.tables) {
        auto table = TRY(load_table(coordinator_, name));
        if (!table)
            return Error{Fault::retry,
                         "table was made after the consistent point: " + to_string(name), "",
                         "postgres snapshot", Code::pg_snapshot_again};
        leave_out(*table, options_.excluded);
        layouts_.push_back(
            TRY(layout_of(*table, coordinator_, types, text_columns, options_.layout)));
        tables_.push_back(*std::move(table));
    }
    return {};
}

// Between the point and the lock a table may have been rewritten: then its file no longer holds
// what the snapshot would see.
auto TableImages::compare() -> Result<void> {
    auto now = TRY(Connection::connect(options_.sql));
    for (const auto& table : tables_) {
        auto current = TRY(load_table(now, table.name));
        if (current) leave_out(*current, options_.excluded);
        if (!current || !same_definition(table, *current))
            return Error{
                Fault::retry,
                "table was rewritten or changed while the snapshot began: " + to_string(table.name),
                "", "postgres snapshot", Code::pg_snapshot_again};
    }
    return {};
}

auto TableImages::places_of(const CatalogTable& table) -> std::vector<Place> {
    std::vector<Place> places;
    for (const auto& leaf : table.leaves)
        places.push_back({leaf.name, leaf.blocks, leaf.rows_per_block});
    // A partitioned table without partitions has no rows, and is read for its schema.
    if (places.empty()) places.push_back({table.name, table.blocks, table.rows_per_block});
    return places;
}

auto TableImages::plan() -> void {
    std::vector<std::size_t> order(tables_.size());
    std::vector<std::int64_t> blocks(tables_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = i;
        for (const auto& place : places_of(tables_[i])) blocks[i] += place.blocks;
    }
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return blocks[a] < blocks[b]; });
    for (const auto index : order)
        for (const auto& place : places_of(tables_[index]))
            add_chunks(layouts_[index].schema, place);
}

auto TableImages::add_chunks(const SchemaPtr& schema, const Place& place) -> void {
    constexpr std::uint64_t blocks_max = 4096;  // 32 MiB
    constexpr std::uint64_t rows_wanted = 400'000;
    constexpr std::uint64_t rows_per_block_guess = 100;
    const auto blocks = static_cast<std::uint64_t>(std::max<std::int64_t>(place.blocks, 1));
    const auto per_block = place.rows_per_block > 0
                               ? static_cast<std::uint64_t>(place.rows_per_block)
                               : rows_per_block_guess;
    const auto step = std::clamp(rows_wanted / per_block, std::uint64_t{1}, blocks_max);
    for (std::uint64_t from = 0; from < blocks; from += step) {
        Chunk chunk;
        chunk.schema = schema;
        chunk.number = chunks_.size();
        chunk.begin = from;
        chunk.end = from + step < blocks ? from + step : 0;
        if (place.blocks > 0) chunk.rows_estimate = per_block * std::min(step, blocks - from);
        chunks_.push_back(std::move(chunk));
        chunk_places_.push_back(place.name);
    }
}

auto TableImages::worker_connection(std::size_t worker) -> Result<std::unique_ptr<Connection>> {
    auto idle = workers_.with([&](auto& workers) { return std::exchange(workers[worker], {}); });
    if (idle) return idle;
    auto made = TRY(Connection::connect(options_.sql));
    if (auto begun = made.query(begin_with(snapshot_)); !begun) {
        // The snapshot lives as long as the coordinator's connection.
        begun.error().fault = Fault::retry;
        return std::move(begun).error();
    }
    return std::make_unique<Connection>(std::move(made));
}

// A connection that failed is not used again.
auto TableImages::read(const Chunk& chunk, std::uint64_t point, std::size_t worker,
                       const BatchReceiver& receive, const std::stop_token& stop) -> Result<void> {
    auto connection = TRY(worker_connection(worker));
    TRY(copy(*connection, chunk, point, receive, stop));
    workers_.with([&](auto& workers) { workers[worker] = std::move(connection); });
    return {};
}

auto TableImages::finish() -> Result<void> {
    TRY(coordinator_.query("COMMIT"));
    return {};
}

auto TableImages::value_error(const TableLayout& layout, const RowProblem& problem) -> Error {
    const auto& name = layout.schema->name;
    if (problem.column < 0)
        return Error{Fault::fatal, "COPY: row does not fit table " + to_string(name), "", "",
                     Code::pg_stream};
    const auto index = static_cast<std::size_t>(problem.column);
    const auto& column = layout.schema->columns[index];
    using pgtype::ValueFault;
    auto error = pgtype::to_error(problem.fault, column.name, layout.mappings[index]);
    error.context = to_string(name);
    error.fault = Fault::fatal;
    const bool fits_as_text = problem.fault == ValueFault::not_finite ||
                              problem.fault == ValueFault::array_shape ||
                              problem.fault == ValueFault::out_of_range;
    if (!fits_as_text) return error;
    // Chunks that are read already have the other type: the image is taken again.
    std::ofstream file(options_.text_columns_file, std::ios::app);
    file << to_string(name) << '.' << column.name << '\n';
    if (!file.flush()) return error;
    return Error{Fault::retry, error.what + "; taking the snapshot again with this column as text",
                 "", error.context, Code::pg_snapshot_again};
}

}  // namespace leat::postgres
