// Loads, changes, waits; see simulation.hpp.
#include "simulate/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <utility>

#include "simulate/nasty_documents.hpp"
#include "simulate/nasty_rows.hpp"

namespace leat::simulate {

namespace {

constexpr std::int64_t load_rows = 5'000;  // at once
constexpr std::int64_t changes_at_once = 500;

auto is_mongodb(const std::string& uri) -> bool {
    return uri.starts_with("mongodb://") || uri.starts_with("mongodb+srv://");
}

auto is_postgres(const std::string& uri) -> bool {
    return uri.starts_with("postgresql://") || uri.starts_with("postgres://");
}

auto argument_error(const std::string& what, const std::string& hint) -> Error {
    return {Fault::config, what, hint, "", Code::run_argument};
}

auto check(const Options& options) -> Result<void> {
    if (!is_mongodb(options.uri) && !is_postgres(options.uri))
        return argument_error("the URI names no database that is known here",
                              "Begin it with postgresql:// or mongodb://.");
    if (options.document_bytes > 0 && !is_mongodb(options.uri))
        return argument_error("--document-bytes is for MongoDB", "Leave it away.");
    return {};
}

auto count(const Transaction& transaction, Counts& counts) -> void {
    const bool rolled_back = transaction.ending == Ending::roll_back;
    for (const auto& change : transaction.changes) {
        if (change.kind == Kind::control) continue;
        ++counts.events;
        if (rolled_back || !change.kept) ++counts.undone;
    }
}

// Returns early when it is stopped.
auto wait_for(Duration time, const std::stop_token& stop) -> void {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

Simulation::Simulation(Options options, std::unique_ptr<Writer> writer, const Clock& clock)
    : options_(std::move(options)),
      writer_(std::move(writer)),
      clock_(&clock),
      tables_(options_.data.tables),
      look_(std::make_unique<Guarded<Look>>()) {
    if (options_.mix.nasty)
        for (auto& table : is_mongodb(options_.uri) ? nasty_collections() : nasty_tables())
            tables_.push_back(std::move(table));
    counts_.tables.resize(tables_.size());
}

auto Simulation::make(Options options, const Clock& clock) -> Result<Simulation> {
    TRY(check(options));
    auto writer = is_mongodb(options.uri) ? TRY(open_mongodb_writer(options.uri, options.data.name))
                                          : TRY(open_postgres_writer(options.uri));
    return Simulation(std::move(options), std::move(writer), clock);
}

auto Simulation::look() const -> Look {
    return look_->copy();
}

auto Simulation::run(const std::stop_token& stop) -> Result<void> {
    const bool documents = is_mongodb(options_.uri);
    GeneratorOptions from{.data = options_.data,
                          .mix = options_.mix,
                          .seed = options_.seed,
                          .transaction_changes = options_.transaction,
                          .document_bytes = options_.document_bytes,
                          .keys_change = !documents,
                          .by_kind = documents,
                          .wall_us = {}};
    if (options_.wall_clock) from.wall_us = [clock = clock_] { return clock->wall_us(); };
    Generator generator(std::move(from), TRY(writer_->prepare(tables_)));
    TRY(load(generator, stop));
    began_ = clock_->steady();
    if (!options_.mix.nasty) return change(generator, stop);
    if (documents) {
        NastyDocuments nasty(generator, options_.data.tables.size(), options_.seed);
        return change(nasty, stop);
    }
    NastyRows nasty(generator, options_.data.tables.size(), options_.seed);
    return change(nasty, stop);
}

auto Simulation::load(Generator& generator, const std::stop_token& stop) -> Result<void> {
    for (std::size_t i = 0; i < tables().size(); ++i) {
        if (tables()[i].row == nullptr || generator.row_count(i) > 0) continue;
        auto left = std::llround(std::ceil(static_cast<double>(options_.rows) * tables()[i].rows));
        while (left > 0 && !stop.stop_requested()) {
            const auto count = std::min<std::int64_t>(left, load_rows);
            TRY(writer_->load(generator.first_rows(i, count)));
            counts_.tables[i].first_rows += count;
            left -= count;
            look_->with([&](Look& look) { look.counts = counts_; });
        }
    }
    return {};
}

auto Simulation::is_over(Duration now) const -> bool {
    return (options_.events && counts_.events >= *options_.events) ||
           (options_.duration && now - began_ >= *options_.duration);
}

auto Simulation::change(Changes& changes, const std::stop_token& stop) -> Result<void> {
    for (auto now = began_; !stop.stop_requested() && !is_over(now); now = clock_->steady()) {
        const auto transactions = due(changes, now);
        TRY(writer_->apply(transactions, counts_));
        for (const auto& transaction : transactions) count(transaction, counts_);
        look_->with([&](Look& look) { look = {counts_, false, clock_->steady() - began_}; });
        keep_pace(stop);
    }
    look_->with([&](Look& look) { look = {counts_, false, clock_->steady() - began_}; });
    return {};
}

// Those that should be made by now, at least one and not too many at once.
auto Simulation::due(Changes& changes, Duration now) const -> std::vector<Transaction> {
    auto left = options_.events ? *options_.events - counts_.events
                                : std::numeric_limits<std::int64_t>::max();
    const auto seconds = std::chrono::duration<double>(now - began_).count();
    const auto behind = options_.rate > 0
                            ? static_cast<std::int64_t>(seconds * options_.rate) - counts_.events
                            : changes_at_once;
    std::vector<Transaction> made;
    auto wanted = std::min(behind, changes_at_once);
    do {
        made.push_back(changes.next(left));
        const auto count = static_cast<std::int64_t>(made.back().changes.size());
        left -= count;
        wanted -= count;
    } while (wanted > 0 && left > 0);
    return made;
}

// Waits until the next transaction is due. One that is late is followed by the next at once, so the
// rate holds over time.
auto Simulation::keep_pace(const std::stop_token& stop) const -> void {
    if (options_.rate <= 0) return;
    auto due = std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(static_cast<double>(counts_.events) / options_.rate));
    if (options_.duration) due = std::min(due, *options_.duration);
    const auto spent = clock_->steady() - began_;
    if (due > spent) wait_for(due - spent, stop);
}

}  // namespace leat::simulate
