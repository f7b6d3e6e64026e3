// Random histories of one table, read in time or late: a sent column gets its own number, or there
// is an error.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "source/postgres/column_match.hpp"

namespace leat::postgres {

namespace {

struct Live {
    std::int32_t number = 0;
    std::string name;
    std::uint32_t type = 25;
};

// The table after one transaction, as a catalog would describe it.
struct State {
    std::uint32_t xid = 0;
    std::vector<Live> columns;
    std::vector<DroppedColumn> dropped;
    std::int32_t last_number = 0;
};

class History {
public:
    History(std::uint32_t seed, int changes) : random_(seed) {
        State state;
        state.xid = 100;
        for (int i = 0; i < 3; ++i) add(state);
        states_.push_back(state);
        for (int i = 0; i < changes; ++i) {
            state.xid += 10;
            change(state);
            states_.push_back(state);
        }
    }
    [[nodiscard]] auto states() const -> const std::vector<State>& { return states_; }
    auto below(std::size_t end) -> std::size_t { return random_() % end; }

private:
    // Few names and types, so that they meet again.
    auto free_name(const State& state) -> std::string {
        while (true) {
            std::string name(1, static_cast<char>('a' + below(5)));
            if (std::none_of(state.columns.begin(), state.columns.end(),
                             [&](const auto& one) { return one.name == name; }))
                return name;
        }
    }
    auto add(State& state) -> void {
        if (state.columns.size() >= 4) return;
        state.columns.push_back({++state.last_number, free_name(state), below(2) == 0 ? 25U : 23U});
    }
    auto change(State& state) -> void {
        for (auto count = 1 + below(2); count > 0; --count) {
            const auto what = below(3);
            if (what == 0 || state.columns.size() < 2) {
                add(state);
                continue;
            }
            const auto at =
                state.columns.begin() + static_cast<std::ptrdiff_t>(below(state.columns.size()));
            if (what == 1) {
                at->name = free_name(state);
            } else {
                state.dropped.push_back({at->number, state.xid});
                state.columns.erase(at);
            }
        }
    }

    std::mt19937 random_;
    std::vector<State> states_;
};

auto source_type_of(std::uint32_t type) -> std::string {
    return std::to_string(type) + ":-1";
}

auto catalog_of(const State& state) -> CatalogTable {
    CatalogTable catalog;
    for (const auto& live : state.columns) {
        CatalogColumn column;
        column.number = live.number;
        column.name = live.name;
        column.type_oid = live.type;
        catalog.columns.push_back(std::move(column));
    }
    catalog.dropped = state.dropped;
    return catalog;
}

auto sent_of(const State& state) -> std::vector<SentColumn> {
    std::vector<SentColumn> sent;
    for (const auto& live : state.columns)
        sent.push_back({live.name, live.type, -1, source_type_of(live.type)});
    return sent;
}

// The version that these rows belong to.
auto known_as(const State& state, const std::vector<std::int32_t>& numbers) -> TableSchema {
    TableSchema schema;
    schema.name = {"public", "t"};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        Column column;
        column.id = numbers[i];
        column.name = state.columns[i].name;
        column.source_type = source_type_of(state.columns[i].type);
        schema.columns.push_back(std::move(column));
    }
    return schema;
}

auto numbers_of(const State& state) -> std::vector<std::int32_t> {
    std::vector<std::int32_t> numbers;
    for (const auto& live : state.columns) numbers.push_back(live.number);
    return numbers;
}

struct Outcome {
    int right = 0;
    int refused = 0;
    int wrong = 0;
};

// Reads the rows of `states[at]` while the catalog stands at `states[seen]`; both come to know the
// same from an earlier version on.
auto read(const History& history, std::size_t from, std::size_t at, std::size_t seen,
          Outcome& outcome) -> void {
    const auto& states = history.states();
    const auto& message = states[at];
    const auto known = known_as(states[from], numbers_of(states[from]));
    const auto catalog = catalog_of(states[seen]);
    const auto found = match_columns({known, sent_of(message), &catalog, message.xid});
    if (!found) {
        ++outcome.refused;
        return;
    }
    bool right = true;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const auto truth = message.columns[i].number;
        const auto number = (*found)[i];
        const auto is_known = [&](std::int32_t one) {
            return std::any_of(known.columns.begin(), known.columns.end(),
                               [&](const auto& column) { return column.id == one; });
        };
        const bool came_and_went = !is_known(truth) && catalog.column(truth) == nullptr;
        const bool is_passing = !is_known(number) && catalog.column(number) == nullptr;
        right = right && (came_and_went ? is_passing : number == truth);
    }
    ++(right ? outcome.right : outcome.wrong);
}

TEST(ColumnMatchProperty, ReadInTimeIsNeverWrong) {
    Outcome outcome;
    for (std::uint32_t seed = 0; seed < 20'000; ++seed) {
        const History history(seed, 3);
        for (std::size_t at = 1; at < history.states().size(); ++at)
            read(history, at - 1, at, at, outcome);
    }
    EXPECT_EQ(outcome.wrong, 0);
    EXPECT_GT(outcome.right, 20 * outcome.refused) << outcome.right << " " << outcome.refused;
}

auto read_late(int changes) -> Outcome {
    Outcome outcome;
    for (std::uint32_t seed = 0; seed < 20'000; ++seed) {
        History history(seed, changes);
        const auto last = history.states().size() - 1;
        const auto from = history.below(last);
        const auto at = from + 1 + history.below(last - from);
        const auto seen = at + history.below(last + 1 - at);
        read(history, from, at, seen, outcome);
    }
    return outcome;
}

TEST(ColumnMatchProperty, ReadLateIsNeverWrongAfterTwoTransactions) {
    const auto outcome = read_late(2);
    EXPECT_EQ(outcome.wrong, 0);
    EXPECT_GT(outcome.right, 20 * outcome.refused) << outcome.right << " " << outcome.refused;
}

// With this many changes of so few names the evidence can be complete and false.
TEST(ColumnMatchProperty, ReadLateIsHardlyEverWrongAfterMore) {
    const auto outcome = read_late(5);
    EXPECT_LE(outcome.wrong, 2);
    EXPECT_GT(outcome.right, 10 * outcome.refused) << outcome.right << " " << outcome.refused;
}

}  // namespace

}  // namespace leat::postgres
