// Applies batches row by row with the naive model, at commit, on a copy that then replaces the
// state.
#include "scenario/memory_sink.hpp"

#include <utility>

namespace leat::scenario {

class MemorySink final : public Sink {
public:
    explicit MemorySink(MemoryTarget& target) : target_(target) {}

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override {
        staged_.clear();
        identity_ = identity;
        const auto state = target_.state();
        if (state.identity && (state.identity->pipeline != identity.pipeline ||
                               state.identity->lane != identity.lane ||
                               state.identity->queue_id != identity.queue_id ||
                               state.identity->incarnation > identity.incarnation))
            return Error{Fault::config, "target belongs to somebody else", "Use another.", ""};
        return state.progress;
    }
    auto evolve(const SchemaPtr& schema) -> Result<void> override {
        staged_.push_back({schema, nullptr});
        return {};
    }
    auto write(const Batch& batch) -> Result<Rejects> override {
        staged_.push_back(batch);
        return Rejects{};
    }
    auto commit(const Progress& progress) -> Result<Committed> override {
        auto next = target_.state();
        for (const auto& each : staged_) {
            const auto name = target_name(each.schema->name);
            auto& generation = next.generations[name];
            if (each.schema->generation > generation) next.tables[name] = {};
            if (each.schema->generation < generation) continue;
            generation = each.schema->generation;
            if (each.rows) model::apply_naive(each, next.tables[name]);
        }
        staged_.clear();
        next.progress = progress;
        next.identity = identity_;
        target_.store(std::move(next));
        return Committed{progress.offsets};
    }
    auto settle(bool /*last*/) -> Result<Committed> override {
        const auto progress = target_.state().progress;
        return Committed{progress ? std::optional(progress->offsets) : std::nullopt};
    }

private:
    MemoryTarget& target_;
    Identity identity_;
    std::vector<Batch> staged_;  // without rows: a schema alone
};

auto MemoryTarget::make_sink() -> std::unique_ptr<Sink> {
    return std::make_unique<MemorySink>(*this);
}

auto MemoryTarget::store(State next) -> void {
    std::string wrong;
    for (const auto& [name, table] : next.tables)
        if (table.incomplete > 0) wrong += name + " has incomplete rows; ";
    if (invariant_ && next.progress && next.progress->offsets.image_complete)
        wrong += invariant_(next.tables);
    if (!wrong.empty()) violations_.with([&](auto& all) { all.push_back(wrong); });
    auto before = state_.with([&](State& state) { return std::exchange(state, std::move(next)); });
    history_.with([&](auto& states) { states.push_back(std::move(before)); });
}

auto MemoryTarget::forget(std::size_t commits_back) -> void {
    history_.with([&](std::vector<State>& states) {
        if (commits_back == 0 || commits_back > states.size()) return;
        auto older = states[states.size() - commits_back];
        states.resize(states.size() - commits_back);
        state_.with([&](State& state) { state = std::move(older); });
    });
}

}  // namespace leat::scenario
