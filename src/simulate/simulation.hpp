// Simulation: rows to begin with, then changes, by one worker or several at once.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "simulate/counts.hpp"
#include "simulate/generator.hpp"
#include "simulate/worker.hpp"
#include "simulate/writer.hpp"

namespace leat::simulate {

struct Options {
    std::string uri;  // postgresql:// or mongodb://
    DataSet data = shop();
    Mix mix = mixes.front();
    Pace pace;
    std::int64_t writers = 1;
    std::uint64_t seed = 1;
    std::int64_t rows = 10'000;  // of the main table, where it is empty
    std::int64_t transaction = 1;
    std::int64_t document_bytes = 0;  // MongoDB only
    bool wall_clock = false;
};

// A look at a simulation, for progress and the report.
struct Look {
    Counts counts;
    bool loading = true;
    Duration changing{};  // how long changes are made already
};

// One thread runs it, and it starts one for each writer; look() from any.
class Simulation {
public:
    // Connects; nothing is written yet.
    static auto make(Options options, const Clock& clock) -> Result<Simulation>;

    auto run(const std::stop_token& stop) -> Result<void>;
    [[nodiscard]] auto look() const -> Look;
    [[nodiscard]] auto tables() const -> const std::vector<Table>& { return tables_; }

private:
    // What one worker changes: the data set's rows, and what is nasty between them.
    struct Drawn {
        std::unique_ptr<Generator> generator;
        std::unique_ptr<Changes> nasty;
        [[nodiscard]] auto changes() const -> Changes& { return nasty ? *nasty : *generator; }
    };

    Simulation(Options options, std::vector<Table> tables, const Clock& clock);
    [[nodiscard]] auto generator_options() const -> GeneratorOptions;
    auto load(Generator& generator, const std::stop_token& stop) -> Result<void>;
    auto draws(std::unique_ptr<Generator> first) const -> std::vector<Drawn>;
    auto change(const std::vector<Drawn>& drawn, const std::stop_token& stop) -> Result<void>;

    Options options_;
    const Clock* clock_;
    std::vector<Table> tables_;                     // the data set's, then the mix's own
    std::vector<std::unique_ptr<Writer>> writers_;  // at least one
    std::unique_ptr<Guarded<Look>> look_;
};

}  // namespace leat::simulate
