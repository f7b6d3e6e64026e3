// For tests: random histories that a source could have produced: only keys that exist are updated,
// moved or deleted, only rows that are there are removed.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "change/batch_fixture.hpp"

namespace leat::fixture {

using Picks = std::vector<std::uint32_t>;

// Deals numbers out of a random list, and zeros when it is used up, so that rapidcheck can shrink.
class Dice {
public:
    explicit Dice(Picks picks) : picks_(std::move(picks)) {}

    auto roll(std::size_t sides) -> std::size_t {
        if (next_ == picks_.size()) return 0;
        return picks_[next_++] % sides;
    }
    auto left() const -> bool { return next_ < picks_.size(); }

private:
    Picks picks_;
    std::size_t next_ = 0;
};

inline constexpr std::size_t key_count = 6;

// One kind of key: the table, and the values of its keys by number.
struct KeyKind {
    SchemaPtr schema;
    std::vector<Row> keys;
};

inline auto value_columns() -> Columns {
    return {
        {"real", arrow::float64()}, {"text", arrow::utf8()}, {"many", arrow::list(arrow::int32())}};
}

inline auto kind_of(Columns key_columns, std::vector<Row> keys) -> KeyKind {
    std::vector<int> key;
    for (std::size_t i = 0; i < key_columns.size(); ++i) key.push_back(static_cast<int>(i));
    auto columns = std::move(key_columns);
    for (auto& column : value_columns()) columns.push_back(column);
    return {keyed_table("t", std::move(columns), std::move(key)), std::move(keys)};
}

inline auto uuid(char last) -> Value {
    return Value(std::make_shared<arrow::FixedSizeBinaryScalar>(
        arrow::Buffer::FromString(std::string(15, 'u') + last), arrow::fixed_size_binary(16)));
}

inline auto key_kinds() -> std::vector<KeyKind> {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    return {
        kind_of({{"id", arrow::int64()}}, {{0}, {1}, {-1}, {2}, {3}, {least}}),
        kind_of({{"id", arrow::int16()}}, {{0}, {1}, {-1}, {2}, {3}, {-32768}}),
        kind_of({{"id", arrow::utf8()}}, {{""}, {"a"}, {"aa"}, {"b"}, {"ä"}, {"a b"}}),
        kind_of({{"a", arrow::utf8()}, {"b", arrow::int32()}},
                {{"", 1}, {"", 2}, {"x", 1}, {"x", 2}, {"x1", 1}, {"x1", 2}}),
        kind_of(
            {{"a", arrow::utf8()}, {"b", arrow::utf8()}},
            {{"a", "b\1c"}, {"a\1b", "c"}, {"", "abc"}, {"abc", ""}, {nullptr, ""}, {"", nullptr}}),
        kind_of({{"id", arrow::float64()}}, {{0.0}, {nan}, {1.5}, {-1.5}, {1e300}, {2}}),
        kind_of({{"id", arrow::fixed_size_binary(16)}},
                {{uuid('a')}, {uuid('b')}, {uuid('c')}, {uuid('d')}, {uuid('e')}, {uuid('f')}}),
    };
}

inline auto some_value(Dice& dice, std::size_t column) -> Value {
    if (column == 0) {
        const double odd_nan = std::bit_cast<double>(0x7ff8000000000123ULL);
        const std::vector<Value> reals = {
            1.5, nullptr, 0.0, -0.0, std::numeric_limits<double>::quiet_NaN(), odd_nan};
        return reals[dice.roll(reals.size())];
    }
    if (column == 1) {
        const std::vector<Value> texts = {"a", nullptr, "", "NULL",
                                          "a longer text than fits inline"};
        return texts[dice.roll(texts.size())];
    }
    arrow::Int32Builder items;
    for (auto left = dice.roll(3); left > 0; --left) CHECK(items.Append(7).ok());
    return Value(std::make_shared<arrow::ListScalar>(*items.Finish()));
}

inline auto some_values(Dice& dice) -> Row {
    Row values;
    for (std::size_t i = 0; i < value_columns().size(); ++i) values.push_back(some_value(dice, i));
    return values;
}

inline auto joined(const Row& key, const Row& values) -> Row {
    auto row = key;
    row.insert(row.end(), values.begin(), values.end());
    return row;
}

// `also_without_base`: now and then a partial row for a key that does not exist, as only a source
// that contradicts itself would send.
enum class PartialRows { with_base_only, also_without_base };

// A source that keeps only which keys exist, so that every change it makes is one it could make.
class KeySource {
public:
    KeySource(const KeyKind& kind, Dice& dice, PartialRows partial = PartialRows::also_without_base)
        : kind_(kind), dice_(dice), partial_(partial) {}

    auto change(BatchFixture& rows) -> void {
        const auto id = dice_.roll(key_count);
        const auto& key = kind_.keys[id];
        if (dice_.roll(40) == 39) {
            rows.truncate();
            exists_.clear();
        } else if (!exists_.contains(id)) {
            add(rows, id);
        } else if (dice_.roll(4) == 0) {
            rows.remove(key);
            exists_.erase(id);
        } else if (const auto target = dice_.roll(key_count); !exists_.contains(target)) {
            rows.move(key, joined(kind_.keys[target], updated()));
            exists_.erase(id);
            exists_.insert(target);
        } else if (dice_.roll(8) == 0) {
            rows.replace(joined(key, some_values(dice_)));
        } else {
            rows.update(joined(key, updated()));
        }
    }
    // Rows that are there before the first run.
    auto fill(BatchFixture& rows) -> void {
        for (std::size_t id = 0; id < key_count; ++id) {
            if (dice_.roll(2) == 0) continue;
            rows.snapshot(joined(kind_.keys[id], some_values(dice_)));
            exists_.insert(id);
        }
    }

private:
    // For a key that the source does not have: an insert, or a partial row that has no base.
    auto add(BatchFixture& rows, std::size_t id) -> void {
        const auto& key = kind_.keys[id];
        if (dice_.roll(10) == 9 && partial_ == PartialRows::also_without_base) {
            rows.update(joined(key, {1.5, unsent, nullptr}));
            return;
        }
        const auto row = joined(key, some_values(dice_));
        const auto how = dice_.roll(6);
        if (how == 5) rows.replace(row);
        else if (how == 4) rows.snapshot(row);
        else rows.insert(row);
        exists_.insert(id);
    }

    auto updated() -> Row {
        auto values = some_values(dice_);
        const auto mask = dice_.roll(16);
        for (std::size_t i = 0; i < values.size(); ++i)
            if (mask >= 8 && ((mask >> i) & 1) != 0) values[i] = unsent;
        return values;
    }

    const KeyKind& kind_;
    Dice& dice_;
    PartialRows partial_;
    std::set<std::size_t> exists_;
};

// A table without a key: a bag of rows, those that exist known by heart.
class BagSource {
public:
    explicit BagSource(Dice& dice) : dice_(dice) {}

    auto change(BatchFixture& rows) -> void {
        const auto how = dice_.roll(30);
        if (how == 29) {
            rows.truncate();
            held_.clear();
        } else if (held_.empty() || how < 12) {
            held_.push_back(some_values(dice_));
            rows.insert(held_.back());
        } else if (how < 20) {
            const auto victim = dice_.roll(held_.size());
            rows.remove(held_[victim]);
            held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(victim));
        } else {
            update(rows);
        }
    }

private:
    auto update(BatchFixture& rows) -> void {
        auto& old = held_[dice_.roll(held_.size())];
        auto fresh = some_values(dice_);
        auto sent = fresh;
        if (dice_.roll(3) == 0) {
            sent[1] = unsent;
            fresh[1] = old[1];
        }
        rows.move(old, sent);
        old = fresh;
    }

    Dice& dice_;
    std::vector<Row> held_;
};

}  // namespace leat::fixture
