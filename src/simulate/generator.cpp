// Draws kind, table and row, and remembers which keys exist; see generator.hpp.
#include "simulate/generator.hpp"

#include <algorithm>
#include <utility>

namespace leat::simulate {

namespace {

constexpr std::int64_t first_day_us = 1'767'225'600'000'000;  // 2026-01-01
constexpr std::int64_t change_us = 10'000;

}  // namespace

Generator::Generator(GeneratorOptions options, std::vector<Keys> keys)
    : options_(std::move(options)), keys_(std::move(keys)), random_(options_.seed) {
    keys_.resize(options_.data.tables.size());
}

auto Generator::first_rows(std::size_t table, std::int64_t count) -> std::vector<Change> {
    std::vector<Change> rows;
    rows.reserve(static_cast<std::size_t>(count));
    for (; count > 0; --count) rows.push_back(insert(table));
    return rows;
}

auto Generator::next(std::int64_t limit) -> Transaction {
    Transaction made;
    for (auto left = std::min(limit, options_.transaction_changes); left > 0; --left)
        made.changes.push_back(change());
    if (options_.by_kind)
        std::stable_sort(made.changes.begin(), made.changes.end(),
                         [](const Change& a, const Change& b) { return a.kind < b.kind; });
    return made;
}

// What needs a row where there is none becomes an insert.
auto Generator::change() -> Change {
    const auto kind = draw_kind();
    const auto table = draw_table(kind == Kind::insert   ? &Weights::insert
                                  : kind == Kind::remove ? &Weights::remove
                                                         : &Weights::update);
    auto& keys = keys_[table];
    if (kind == Kind::insert || keys.count() == 0) return insert(table);
    const auto index = keys.draw(random_, options_.mix.skewed);
    if (kind == Kind::remove) return {kind, table, value(keys.remove(index)), {}};
    const auto key = keys.at(index);
    if (kind == Kind::rekey) return {kind, table, value(key), {{"id", value(keys.move(index))}}};
    auto from = draw();
    return {Kind::update, table, value(key), options_.data.tables[table].change(from)};
}

auto Generator::draw_kind() -> Kind {
    const auto& mix = options_.mix;
    auto drawn = random_.share() * (mix.insert + mix.update + mix.remove + mix.rekey);
    if ((drawn -= mix.insert) < 0) return Kind::insert;
    if ((drawn -= mix.update) < 0) return Kind::update;
    if (drawn < mix.remove) return Kind::remove;
    return options_.keys_change && mix.rekey > 0 ? Kind::rekey : Kind::update;
}

auto Generator::draw_table(double Weights::*weight) -> std::size_t {
    const auto& tables = options_.data.tables;
    double sum = 0;
    for (const auto& table : tables) sum += table.weights.*weight;
    auto drawn = random_.share() * sum;
    for (std::size_t i = 0; i + 1 < tables.size(); ++i)
        if ((drawn -= tables[i].weights.*weight) < 0) return i;
    return tables.size() - 1;
}

auto Generator::draw() -> Draw {
    const auto now = options_.wall_us ? options_.wall_us() : first_day_us + made_ * change_us;
    ++made_;
    return {random_, now, keys_};
}

auto Generator::insert(std::size_t table) -> Change {
    auto from = draw();
    const auto key = keys_[table].add();
    auto row = options_.data.tables[table].row(key, from);
    const auto size = static_cast<std::int64_t>(size_of(row));
    if (size < options_.document_bytes)
        row.push_back({"padding", text(random_.hex(
                                      static_cast<std::size_t>(options_.document_bytes - size)))});
    return {Kind::insert, table, value(key), std::move(row)};
}

}  // namespace leat::simulate
