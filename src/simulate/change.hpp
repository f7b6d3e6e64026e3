// What a generator yields and a writer carries out: changes of rows, in transactions. Knows no
// database; names of tables are places in the data set's list.
#pragma once

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
    drop,      // the collection goes, and a new one of its name is made. MongoDB only
    rename,    // the collection gets another name, and a new one is made in its place. MongoDB only
    truncate,  // all rows go. PostgreSQL only
    alter,     // the table gets, loses or changes a column. PostgreSQL only
    control,   // no change: a savepoint, or the way back to one. PostgreSQL only, not counted
};
inline constexpr std::size_t kinds = 9;  // that are counted
inline constexpr std::array<std::string_view, kinds> kind_names = {
    "insert", "update", "replace", "delete", "key_change", "drop", "rename", "truncate", "alter"};
constexpr auto kind_name(Kind kind) -> std::string_view {
    return kind_names.at(static_cast<std::size_t>(kind));
}

struct Change {
    Kind kind = Kind::insert;
    std::size_t table = 0;
    Value key;
    // insert, replace: all but the key. update: the fields to set, or, where the first name begins
    // with $, MongoDB's update operators. rekey: `id`, the new key.
    Document values;
    std::string sql{};  // PostgreSQL: the statement itself, which may mean many rows or none
    bool kept = true;   // false: rolled back to a savepoint before it
    auto operator==(const Change&) const -> bool = default;
};

enum class Ending : std::uint8_t {
    together,   // PostgreSQL: one transaction; MongoDB: one bulk write a collection
    commit,     // a transaction in MongoDB too
    roll_back,  // one of which nothing stays
};

struct Transaction {
    std::vector<Change> changes;
    Ending ending = Ending::together;
};

// An endless supply of transactions, the same for the same seed. One thread at a time.
class Changes {
public:
    virtual ~Changes() = default;
    // At most `limit` changes, but for a transaction that makes sense only as a whole; limit > 0.
    virtual auto next(std::int64_t limit) -> Transaction = 0;
};

}  // namespace leat::simulate
