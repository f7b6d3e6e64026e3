// A target in memory that remembers everything it was told, and a Sink over it. The target outlives
// its sinks, as a database outlives its clients.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/guarded.hpp"
#include "change/collapse_model.hpp"
#include "sink/sink.hpp"

namespace leat::scenario {

using Tables = std::map<std::string, model::Table>;

// Thread-safe. `invariant`: what must hold of the tables after each commit in which all of them are
// there; it returns what is wrong, or nothing.
class MemoryTarget {
public:
    using Invariant = std::function<std::string(const Tables&)>;

    struct State {
        Tables tables;  // live ones
        std::map<std::string, std::pair<Generation, model::Table>> filled;  // beside them
        std::optional<Progress> progress;
        std::optional<Identity> identity;
    };

    explicit MemoryTarget(Invariant invariant = {}) : invariant_(std::move(invariant)) {}

    auto make_sink() -> std::unique_ptr<Sink>;

    [[nodiscard]] auto state() const -> State { return state_.copy(); }
    [[nodiscard]] auto tables() const -> Tables { return state_.copy().tables; }
    // What should never have happened, in order.
    [[nodiscard]] auto violations() const -> std::vector<std::string> { return violations_.copy(); }
    [[nodiscard]] auto commits() const -> std::size_t {
        return history_.with([](const auto& states) { return states.size(); });
    }
    // Somebody else writes into it.
    auto put(State state) -> void {
        state_.with([&](State& now) { now = std::move(state); });
    }
    // An older copy is put back: as the target stood `commits_back` commits ago.
    auto forget(std::size_t commits_back) -> void;

private:
    friend class MemorySink;

    auto store(State next) -> void;

    const Invariant invariant_;
    Guarded<State> state_;
    Guarded<std::vector<State>> history_;  // before each commit
    Guarded<std::vector<std::string>> violations_;
};

}  // namespace leat::scenario
