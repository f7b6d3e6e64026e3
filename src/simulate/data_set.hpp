// Sample data: which tables there are, what a row of each looks like and how one changes. Pure;
// what is drawn comes from the Draw alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulate/keys.hpp"
#include "simulate/random.hpp"
#include "simulate/value.hpp"

namespace leat::simulate {

enum class ColumnType {
    integer,
    bigint,
    double_precision,
    numeric,
    boolean,
    text,
    texts,  // an array of text
    timestamp,
    json,
};

struct Column {
    std::string name;
    ColumnType type = ColumnType::text;
};

// What a row is drawn from.
struct Draw {
    Random& random;
    std::int64_t now_us = 0;
    const std::vector<Keys>& keys;  // by table, for references

    // A key that exists in the table, for a reference to it; 0 in an empty one.
    [[nodiscard]] auto reference(std::size_t table) const -> std::int64_t {
        const auto& there = keys.at(table);
        return there.count() == 0 ? 0 : there.at(there.draw(random, true));
    }
};

// How often each kind of change meets this table, relative to the others of its data set.
struct Weights {
    double insert = 1;
    double update = 1;
    double remove = 1;
};

struct Table {
    std::string name;
    std::vector<Column> columns;  // the first is the key: `id`, in MongoDB `_id`
    Weights weights;
    double rows = 1;                                         // at the start, in multiples of --rows
    Document (*row)(std::int64_t id, Draw& draw) = nullptr;  // without the key
    Document (*change)(Draw& draw) = nullptr;                // what an update sets
    std::string create{};  // PostgreSQL: the statements that make it, where columns do not say all
    std::string schema = "public";            // PostgreSQL
    std::vector<Document> first_documents{};  // MongoDB: what a new one holds, `_id` first
    bool post_images = false;                 // MongoDB 6.0 and newer: updates come with documents
};

struct DataSet {
    std::string name;
    std::string what;  // one line
    std::vector<Table> tables;
};

// A shop: customers and their orders.
auto shop() -> DataSet;
// A video site: videos and the log of who watched what, in nested documents.
auto video() -> DataSet;
// One plain table of seven columns, about 100 bytes a row: for measuring.
auto events() -> DataSet;

auto data_sets() -> std::vector<DataSet>;
auto find_data_set(std::string_view name) -> std::optional<DataSet>;

}  // namespace leat::simulate
