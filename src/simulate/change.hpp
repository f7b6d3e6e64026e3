// What a generator yields and a writer carries out: changes of rows, in transactions. Knows no
// database; names of tables are places in the data set's list.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "simulate/value.hpp"

namespace leat::simulate {

enum class Kind : std::uint8_t {
    insert,
    update,
    replace,  // the whole row or document; made when it is not there
    remove,
    rekey,     // the row gets another key. PostgreSQL only
    drop,      // the table goes, and a new one of its name is made
    rename,    // the table gets another name, and a new one is made in its place
    exchange,  // another collection gets its name. MongoDB only
    truncate,  // all rows go. PostgreSQL only
    alter,     // the table gets, loses or changes a column; the collection, its post images
    control,   // what frames changes, such as a savepoint. PostgreSQL only, not counted
};
inline constexpr std::size_t kinds = 10;  // that are counted
inline constexpr std::array<std::string_view, kinds> kind_names = {
    "insert", "update", "replace",  "delete",   "key_change",
    "drop",   "rename", "exchange", "truncate", "alter"};
constexpr auto kind_name(Kind kind) -> std::string_view {
    return kind_names.at(static_cast<std::size_t>(kind));
}

struct Change {
    Kind kind = Kind::insert;
    std::size_t table = 0;
    Value key;
    // insert, replace: all but the key. update: the fields to set, or, where the first name begins
    // with $, MongoDB's update operators. rekey: `id`, the new key. drop: nothing, or the document
    // by which the new collection is made. rename: nothing, or the document that it gets before it
    // takes its name back. exchange: the document that the other one holds. alter: `enabled`.
    Document values;
    std::string sql{};  // PostgreSQL: the statement itself, which may mean many rows or none
    bool kept = true;   // false: rolled back to a savepoint before it
    auto operator==(const Change&) const -> bool = default;
};

enum class Ending : std::uint8_t {
    together,   // PostgreSQL: one transaction; MongoDB: one bulk write a collection
    commit,     // a transaction in MongoDB too
    roll_back,  // one of which nothing stays
    // The same in two steps, where a PostgreSQL server has been told to allow it.
    commit_prepared,
    roll_back_prepared,
};
constexpr auto is_rolled_back(Ending ending) -> bool {
    return ending == Ending::roll_back || ending == Ending::roll_back_prepared;
}

struct Transaction {
    std::vector<Change> changes;
    Ending ending = Ending::together;

    // How many of its changes count, and how many of these stay.
    [[nodiscard]] auto counted() const -> std::int64_t {
        return std::count_if(changes.begin(), changes.end(),
                             [](const Change& each) { return each.kind != Kind::control; });
    }
    [[nodiscard]] auto kept() const -> std::int64_t {
        if (is_rolled_back(ending)) return 0;
        return std::count_if(changes.begin(), changes.end(), [](const Change& each) {
            return each.kind != Kind::control && each.kept;
        });
    }
};

// An endless supply of transactions, the same for the same seed. One thread at a time.
class Changes {
public:
    virtual ~Changes() = default;
    // At most `limit` changes, but for a transaction that makes sense only as a whole; limit > 0.
    virtual auto next(std::int64_t limit) -> Transaction = 0;
};

}  // namespace leat::simulate
