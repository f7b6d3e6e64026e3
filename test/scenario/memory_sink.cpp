// Applies batches row by row with the naive model, at commit, on a copy that then replaces the
// state.
#include "scenario/memory_sink.hpp"

#include <set>
#include <utility>

namespace leat::scenario {

class MemorySink final : public Sink {
public:
    explicit MemorySink(MemoryTarget& target) : target_(target) {}

    auto open(const Identity& identity) -> Result<std::optional<Progress>> override {
        staged_.clear();
        adopting_.clear();
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
    auto commit(const Progress& progress) -> Result<void> override {
        auto next = target_.state();
        for (const auto& each : staged_) {
            auto& table = copy_of(next, *each.schema);
            if (each.rows) model::apply_naive(each, table);
        }
        staged_.clear();
        for (const auto& [generation, wanted] : std::exchange(adopting_, {}))
            adopt_now(next, generation, wanted);
        next.progress = progress;
        next.identity = identity_;
        target_.store(std::move(next));
        return {};
    }
    auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> override {
        if (!staged_.empty()) return Error{Fault::fatal, "rows in the epoch that adopts", "", ""};
        std::set<std::string> names;
        for (const auto& [name, copy] : target_.state().filled)
            if (copy.first == generation && wanted({"public", name})) names.insert(name);
        adopting_.emplace_back(generation, std::move(names));
        return {};
    }
    auto settle(Rest /*rest*/) -> Result<std::optional<Offsets>> override {
        const auto progress = target_.state().progress;
        return progress ? std::optional(progress->offsets) : std::nullopt;
    }

private:
    static auto copy_of(MemoryTarget::State& state, const TableSchema& schema) -> model::Table& {
        const auto name = target_name(schema.name);
        if (schema.generation == 0) return state.tables[name];
        auto& [generation, table] = state.filled[name];
        if (generation != schema.generation) table = {};
        generation = schema.generation;
        return table;
    }
    static auto adopt_now(MemoryTarget::State& state, Generation generation,
                          const std::set<std::string>& names) -> void {
        for (const auto& name : names) {
            auto& [held, table] = state.filled.at(name);
            if (held != generation) continue;
            state.tables[name] = std::move(table);
            state.filled.erase(name);
        }
    }

    MemoryTarget& target_;
    Identity identity_;
    std::vector<std::pair<Generation, std::set<std::string>>> adopting_;
    std::vector<Batch> staged_;  // without rows: a schema alone
};

auto MemoryTarget::make_sink() -> std::unique_ptr<Sink> {
    return std::make_unique<MemorySink>(*this);
}

auto MemoryTarget::store(State next) -> void {
    std::string wrong;
    for (const auto& [name, table] : next.tables)
        if (table.incomplete > 0) wrong += name + " has incomplete rows; ";
    const auto is_whole = [](const Offsets& offsets) {
        return offsets.is_swapped_in && offsets.absent.empty();
    };
    if (invariant_ && next.progress && is_whole(next.progress->offsets))
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
