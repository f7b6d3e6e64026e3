// Worker: makes changes at a rate over one connection, until enough were made, the time is up or
// somebody stops it. The only place where time passes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/clock.hpp"
#include "simulate/change.hpp"
#include "simulate/writer.hpp"

namespace leat::simulate {

struct Pace {
    std::optional<std::int64_t> events;  // changes in all; none: until stopped
    double rate = 100;                   // changes a second; 0: as fast as possible
    std::optional<Duration> duration;
};

// What one of several workers does of a pace; together they do all of it.
auto share_of(const Pace& pace, std::int64_t worker, std::int64_t workers) -> Pace;

// One thread runs it.
class Worker {
public:
    Worker(Writer& writer, Changes& changes, const Pace& pace, const Clock& clock)
        : writer_(writer), changes_(changes), pace_(pace), clock_(clock) {}

    // `tell` gets what was done since it was called before.
    auto run(const std::stop_token& stop, const std::function<void(const Counts&)>& tell)
        -> Result<void>;

private:
    auto due(Duration now) const -> std::vector<Transaction>;
    [[nodiscard]] auto is_over(Duration now) const -> bool;
    auto keep_pace(const std::stop_token& stop) const -> void;

    Writer& writer_;
    Changes& changes_;
    const Pace pace_;
    const Clock& clock_;
    std::int64_t events_ = 0;
    Duration began_{};
};

}  // namespace leat::simulate
