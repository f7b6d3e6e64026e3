// Loads, then lets workers change; see simulation.hpp.
#include "simulate/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "simulate/nasty_documents.hpp"
#include "simulate/nasty_rows.hpp"

namespace leat::simulate {

namespace {

constexpr std::int64_t load_rows = 5'000;  // at once

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

auto tables_of(const Options& options) -> std::vector<Table> {
    auto tables = options.data.tables;
    if (options.mix.nasty)
        for (auto& table : is_mongodb(options.uri) ? nasty_collections() : nasty_tables())
            tables.push_back(std::move(table));
    return tables;
}

auto open_writer(const Options& options, const std::vector<Table>& tables)
    -> Result<std::unique_ptr<Writer>> {
    return is_mongodb(options.uri) ? open_mongodb_writer(options.uri, options.data.name, tables)
                                   : open_postgres_writer(options.uri, tables);
}

// The first has the one that was given, so that one writer alone repeats what it says.
auto seed_of(std::uint64_t seed, std::int64_t writer) -> std::uint64_t {
    constexpr std::uint64_t far_apart = 0x9e3779b97f4a7c15;
    return seed + static_cast<std::uint64_t>(writer) * far_apart;
}

}  // namespace

Simulation::Simulation(Options options, std::vector<Table> tables, const Clock& clock)
    : options_(std::move(options)),
      clock_(&clock),
      tables_(std::move(tables)),
      look_(std::make_unique<Guarded<Look>>()) {
    look_->with([&](Look& look) { look.counts.tables.resize(tables_.size()); });
}

auto Simulation::make(Options options, const Clock& clock) -> Result<Simulation> {
    TRY(check(options));
    auto tables = tables_of(options);
    Simulation made(std::move(options), std::move(tables), clock);
    for (std::int64_t i = 0; i < made.options_.writers; ++i)
        made.writers_.push_back(TRY(open_writer(made.options_, made.tables_)));
    return made;
}

auto Simulation::look() const -> Look {
    return look_->copy();
}

auto Simulation::generator_options() const -> GeneratorOptions {
    const bool documents = is_mongodb(options_.uri);
    GeneratorOptions made{.data = options_.data,
                          .mix = options_.mix,
                          .seed = options_.seed,
                          .transaction_changes = options_.transaction,
                          .document_bytes = options_.document_bytes,
                          .keys_change = !documents,
                          .by_kind = documents,
                          .wall_us = {}};
    if (options_.wall_clock) made.wall_us = [clock = clock_] { return clock->wall_us(); };
    return made;
}

auto Simulation::run(const std::stop_token& stop) -> Result<void> {
    auto generator = std::make_unique<Generator>(generator_options(), TRY(writers_[0]->prepare()));
    TRY(load(*generator, stop));
    return change(draws(std::move(generator)), stop);
}

auto Simulation::load(Generator& generator, const std::stop_token& stop) -> Result<void> {
    for (std::size_t i = 0; i < tables().size(); ++i) {
        if (tables()[i].row == nullptr || generator.row_count(i) > 0) continue;
        auto left = std::llround(std::ceil(static_cast<double>(options_.rows) * tables()[i].rows));
        while (left > 0 && !stop.stop_requested()) {
            const auto count = std::min<std::int64_t>(left, load_rows);
            TRY(writers_[0]->load(generator.first_rows(i, count)));
            left -= count;
            look_->with([&](Look& look) { look.counts.tables[i].first_rows += count; });
        }
    }
    return {};
}

// Writers have rows of the data set's tables of their own; those of the mix are there for all.
auto Simulation::draws(std::unique_ptr<Generator> first) const -> std::vector<Drawn> {
    const auto count = static_cast<std::int64_t>(writers_.size());
    const auto keys = first->keys();
    std::vector<Drawn> made;
    for (std::int64_t i = 0; i < count; ++i) {
        auto from = generator_options();
        from.seed = seed_of(options_.seed, i);
        const NastyOptions nasty{options_.data.tables.size(), from.seed, i};
        auto generator =
            i == 0 ? std::move(first) : std::make_unique<Generator>(std::move(from), keys);
        generator->keep({i, count});
        made.push_back({std::move(generator), nullptr});
        if (!options_.mix.nasty) continue;
        auto& ordinary = *made.back().generator;
        if (is_mongodb(options_.uri))
            made.back().nasty = std::make_unique<NastyDocuments>(ordinary, nasty);
        else made.back().nasty = std::make_unique<NastyRows>(ordinary, nasty);
    }
    return made;
}

// The first error ends all of them.
auto Simulation::change(const std::vector<Drawn>& drawn, const std::stop_token& stop)
    -> Result<void> {
    const auto began = clock_->steady();
    std::stop_source ended;
    const std::stop_callback forward(stop, [&] { ended.request_stop(); });
    Guarded<Result<void>> outcome;
    const auto tell = [&](const Counts& counts) {
        look_->with([&](Look& look) {
            look.counts += counts;
            look.loading = false;
            look.changing = clock_->steady() - began;
        });
    };
    tell({});
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        const auto pace = share_of(options_.pace, static_cast<std::int64_t>(i),
                                   static_cast<std::int64_t>(drawn.size()));
        threads.emplace_back([&, i, pace] {
            auto done = Worker(*writers_[i], drawn[i].changes(), pace, *clock_)
                            .run(ended.get_token(), tell);
            if (done) return;
            ended.request_stop();
            outcome.with([&](Result<void>& first) {
                if (first) first = std::move(done);
            });
        });
    }
    threads.clear();
    tell({});
    return outcome.copy();
}

}  // namespace leat::simulate
