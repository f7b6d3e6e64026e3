// The shop: orders come, are paid and sent, some are cancelled; customers move house. A customer's
// long notes stay as they are in such a change, so PostgreSQL does not send them.
#include <fmt/core.h>

#include "simulate/data_set.hpp"

namespace leat::simulate {

namespace {

constexpr std::size_t customers = 0;
constexpr std::array cities = {"Exeter", "Tavistock", "Plymouth", "Totnes", "Ashburton"};
constexpr std::array names = {"Ada", "Björn", "Chloë", "D'Arcy", "Emeka", "Fumiko", "Gül", "Håkon"};
constexpr std::array states = {"new", "paid", "sent", "returned"};
constexpr std::array goods = {"bread", "flour", "oats", "rye", "semolina", "yeast"};
constexpr std::array channels = {"web", "app", "phone", "market"};

// Some have none: NULL in one database, a missing field in the other.
auto add_city(Document& row, Random& random) -> void {
    if (random.chance(0.9)) row.push_back({"city", text(random.pick(cities))});
}

auto customer_row(std::int64_t id, Draw& draw) -> Document {
    auto& random = draw.random;
    Document row = {{"name", text(fmt::format("{} {}", random.pick(names), id))}};
    add_city(row, random);
    row.push_back({"since", value(Time{draw.now_us})});
    constexpr std::int64_t notes_bytes_max = 6000;
    const auto notes = random.chance(0.2) ? random.below(notes_bytes_max) : random.below(60);
    row.push_back({"notes", text(random.hex(static_cast<std::size_t>(notes)))});
    return row;
}

auto customer_change(Draw& draw) -> Document {
    return {{"city", draw.random.chance(0.9) ? text(draw.random.pick(cities)) : value(Null{})}};
}

auto order_row(std::int64_t, Draw& draw) -> Document {
    auto& random = draw.random;
    Array items;
    std::int64_t total = 0;
    for (auto left = random.between(1, 3); left > 0; --left) {
        const auto cents = random.between(50, 20'000);
        const auto quantity = random.between(1, 5);
        total += cents * quantity;
        items.push_back(value(Document{{"sku", text(random.pick(goods))},
                                       {"quantity", value(static_cast<std::int32_t>(quantity))},
                                       {"price", money(cents)}}));
    }
    return {{"customer", value(draw.reference(customers))},
            {"amount", money(total)},
            {"status", text("new")},
            {"tags", value(Array{text(random.pick(channels)), text(random.hex(4))})},
            {"items", value(std::move(items))},
            {"changed", value(Time{draw.now_us})}};
}

auto order_change(Draw& draw) -> Document {
    auto& random = draw.random;
    Document change = {{"status", text(random.pick(states))},
                       {"changed", value(Time{draw.now_us})}};
    if (random.chance(0.2)) change.push_back({"amount", money(random.between(100, 100'000))});
    return change;
}

}  // namespace

auto shop() -> DataSet {
    using enum ColumnType;
    return {
        "shop",
        "customers and their orders",
        {{"customers",
          {{"id", bigint}, {"name", text}, {"city", text}, {"since", timestamp}, {"notes", text}},
          {.insert = 1, .update = 2, .remove = 0},
          0.05,
          customer_row,
          customer_change},
         {"orders",
          {{"id", bigint},
           {"customer", bigint},
           {"amount", numeric},
           {"status", text},
           {"tags", texts},
           {"items", json},
           {"changed", timestamp}},
          {.insert = 19, .update = 18, .remove = 1},
          1,
          order_row,
          order_change}}};
}

}  // namespace leat::simulate
