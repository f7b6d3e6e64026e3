// Simulation: rows to begin with, then changes at a rate until enough were made, the time is up or
// somebody stops it. The only place where time passes.
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
#include "simulate/writer.hpp"

namespace leat::simulate {

struct Options {
    std::string uri;  // postgresql:// or mongodb://
    DataSet data = shop();
    Mix mix = mixes.front();
    std::optional<std::int64_t> events;  // changes in all; none: until stopped
    double rate = 100;                   // changes a second; 0: as fast as possible
    std::optional<Duration> duration;
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

// One thread runs it; look() from any.
class Simulation {
public:
    // Connects; nothing is written yet.
    static auto make(Options options, const Clock& clock) -> Result<Simulation>;

    auto run(const std::stop_token& stop) -> Result<void>;
    [[nodiscard]] auto look() const -> Look;
    [[nodiscard]] auto tables() const -> const std::vector<Table>& { return tables_; }

private:
    Simulation(Options options, std::unique_ptr<Writer> writer, const Clock& clock);
    auto load(Generator& generator, const std::stop_token& stop) -> Result<void>;
    auto change(Changes& changes, const std::stop_token& stop) -> Result<void>;
    auto due(Changes& changes, Duration now) const -> std::vector<Transaction>;
    [[nodiscard]] auto is_over(Duration now) const -> bool;
    auto keep_pace(const std::stop_token& stop) const -> void;

    Options options_;
    std::unique_ptr<Writer> writer_;
    const Clock* clock_;
    std::vector<Table> tables_;  // the data set's, then the mix's own
    Counts counts_;
    Duration began_{};
    std::unique_ptr<Guarded<Look>> look_;
};

}  // namespace leat::simulate
