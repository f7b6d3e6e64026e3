// Puts nasty statements together to transactions; see nasty_rows.hpp.
#include "simulate/nasty_rows.hpp"

#include <array>
#include <utility>

namespace leat::simulate {

namespace {

constexpr double ordinary_share = 0.4;
constexpr double savepoint_share = 0.25;  // of the operations in a transaction
constexpr double rolled_back_share = 0.08;
constexpr double two_steps_share = 0.01;
constexpr double lazy_share = 0.1;  // commits that do not wait for the disk

struct Operation {
    double weight;
    void (*draw)(NastyStatements&);
};

// By their share of the transactions that are not ordinary.
constexpr std::array special = {Operation{0.02, change_columns}, Operation{0.004, remake_table},
                                Operation{0.01, empty_tables}, Operation{0.008, change_many},
                                Operation{0.005, fill_table}};
// What all others are made of, by weight.
constexpr std::array small = {
    Operation{30, change_rows},   Operation{15, move_keys},     Operation{10, change_people},
    Operation{10, change_parts},  Operation{13, change_pairs},  Operation{25, change_readings},
    Operation{15, change_values}, Operation{10, change_events}, Operation{8, change_days},
    Operation{15, change_tasks},  Operation{25, move_money},    Operation{3, set_added_column},
    Operation{2, send_message}};

constexpr auto sum_of(const auto& operations) -> double {
    double sum = 0;
    for (const auto& [weight, draw] : operations) sum += weight;
    return sum;
}

// The one that a number below the sum of all weights falls on.
auto find(const auto& operations, double drawn) -> void (*)(NastyStatements&) {
    for (const auto& [weight, draw] : operations)
        if ((drawn -= weight) < 0) return draw;
    return nullptr;
}

}  // namespace

auto NastyRows::next(std::int64_t limit) -> Transaction {
    if (statements_.random.chance(ordinary_share)) return ordinary_.next(limit);
    statements_.made.clear();
    if (statements_.random.chance(lazy_share))
        statements_.control("SET LOCAL synchronous_commit = off");
    fill_transaction();
    return {std::move(statements_.made), ending()};
}

auto NastyRows::ending() -> Ending {
    const auto drawn = statements_.random.share();
    if (drawn < rolled_back_share) return Ending::roll_back;
    if (drawn >= rolled_back_share + two_steps_share) return Ending::commit;
    return statements_.random.chance(0.5) ? Ending::commit_prepared : Ending::roll_back_prepared;
}

// Either something special, often with others around it, or a few small changes.
auto NastyRows::fill_transaction() -> void {
    auto& random = statements_.random;
    if (const auto draw = find(special, random.share()); draw != nullptr) {
        if (random.chance(0.4)) any();
        draw(statements_);
        if (random.chance(0.4)) any();
        return;
    }
    for (auto left = random.between(1, 6); left > 0; --left) {
        if (random.chance(savepoint_share)) in_savepoint();
        else any();
    }
}

// Kept or rolled back; what is rolled back may be done again at once.
auto NastyRows::in_savepoint() -> void {
    auto& random = statements_.random;
    auto& made = statements_.made;
    const auto undo = [&](std::size_t begin, const char* name) {
        for (auto i = begin; i < made.size(); ++i) made[i].kept = false;
        statements_.control(std::string("ROLLBACK TO ") + name);
    };
    statements_.control("SAVEPOINT s");
    const auto begin = made.size();
    any();
    if (random.chance(0.3)) {
        statements_.control("SAVEPOINT inner_s");
        const auto inner = made.size();
        any();
        if (random.chance(0.5)) undo(inner, "inner_s");
        else statements_.control("RELEASE inner_s");
    }
    if (random.chance(0.5)) {
        undo(begin, "s");
        if (random.chance(0.5)) any();
    } else if (random.chance(0.5)) {
        statements_.control("RELEASE s");
    }
}

auto NastyRows::any() -> void {
    find(small, statements_.random.share() * sum_of(small))(statements_);
}

}  // namespace leat::simulate
