// One function per trap; see nasty_documents.hpp. Documents are named by numbers in a small range,
// so that each is changed often; whether one is there is not known and does not matter.
#include "simulate/nasty_documents.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "simulate/nasty_values.hpp"

namespace leat::simulate {

namespace {

enum Collection : std::size_t { any_ids, drifting, nested, large, dropped, renamed };
constexpr std::array<const char*, 6> names = {"nasty_ids",   "nasty_drifting", "nasty_nested",
                                              "nasty_large", "nasty_dropped",  "nasty_renamed"};
constexpr std::array<std::int64_t, 6> documents = {400, 200, 200, 12, 50, 50};

constexpr double ordinary_share = 0.4;
constexpr double transaction_share = 0.15;  // of the others
constexpr double rolled_back_share = 0.3;   // of these
constexpr double bulk_share = 0.05;
constexpr double collection_share = 0.02;

auto number(std::int64_t held) -> Value {
    return value(static_cast<std::int32_t>(held));
}

}  // namespace

auto nasty_collections() -> std::vector<Table> {
    std::vector<Table> tables(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) tables[i].name = names.at(i);
    return tables;
}

auto NastyDocuments::next(std::int64_t limit) -> Transaction {
    if (random_.chance(ordinary_share)) return ordinary_.next(limit);
    Transaction made;
    if (random_.chance(collection_share)) {
        change_collection(made.changes);
    } else {
        auto operations = random_.between(1, 3);
        if (random_.chance(transaction_share)) {
            made.ending = random_.chance(rolled_back_share) ? Ending::roll_back : Ending::commit;
            operations = random_.between(1, 12);
        } else if (random_.chance(bulk_share)) {
            operations = random_.between(50, 300);
        }
        for (; operations > 0; --operations) any(made.changes);
    }
    const auto kept = std::min(limit, static_cast<std::int64_t>(made.changes.size()));
    made.changes.resize(static_cast<std::size_t>(kept));
    return made;
}

auto NastyDocuments::one(std::size_t collection, Kind kind, std::int64_t number_of_key,
                         Document values) const -> Change {
    auto key = collection == any_ids ? any_key(number_of_key) : value(number_of_key);
    return {kind, first_ + collection, std::move(key), std::move(values)};
}

auto NastyDocuments::any(Changed& made) -> void {
    const auto drawn = random_.below(100);
    if (drawn < 25) change_any_id(made);
    else if (drawn < 40) delete_and_make_again(made);
    else if (drawn < 60) drift(made);
    else if (drawn < 97) change_nested(made);
    else change_large(made);
}

// Keys of every type.
auto NastyDocuments::change_any_id(Changed& made) -> void {
    const auto key = random_.below(documents[any_ids]);
    const Document row = {{"value", any_value(random_, 2)}, {"count", number(0)}};
    switch (random_.below(4)) {
        case 0: made.push_back(one(any_ids, Kind::remove, key, {})); break;
        case 1:
            made.push_back(
                one(any_ids, Kind::update, key, {{"$inc", value(Document{{"count", number(1)}})}}));
            break;
        default: made.push_back(one(any_ids, Kind::replace, key, row));
    }
}

// One key several times in one transaction: what is there in the end is what counts.
auto NastyDocuments::delete_and_make_again(Changed& made) -> void {
    const auto collection = random_.pick(std::array<std::size_t, 3>{any_ids, dropped, renamed});
    const auto key = random_.below(std::min<std::int64_t>(documents.at(collection), 20));
    for (auto left = random_.between(1, 3); left > 0; --left) {
        made.push_back(one(collection, Kind::remove, key, {}));
        made.push_back(one(collection, Kind::replace, key, {{"value", text(random_.hex(6))}}));
    }
    if (random_.chance(0.3)) made.push_back(one(collection, Kind::remove, key, {}));
}

// The same field holds another type each time; sometimes it is null, sometimes it is not there.
auto NastyDocuments::drift(Changed& made) -> void {
    const auto key = random_.below(documents[drifting]);
    if (random_.chance(0.4)) {
        Document row;
        for (const auto* name : {"a", "b", "c"})
            if (random_.chance(0.7)) row.push_back({name, any_value(random_, 1)});
        if (random_.chance(0.3)) std::reverse(row.begin(), row.end());
        made.push_back(one(drifting, Kind::replace, key, std::move(row)));
    } else if (random_.chance(0.3)) {
        made.push_back(one(drifting, Kind::update, key,
                           {{"$unset", value(Document{{"a", number(1)}})},
                            {"$set", value(Document{{"b", value(Null{})}})}}));
    } else {
        made.push_back(one(drifting, Kind::update, key,
                           {{"$set", value(Document{{random_.chance(0.5) ? "a" : "new",
                                                     any_value(random_, 1)}})}}));
    }
}

auto NastyDocuments::change_nested(Changed& made) -> void {
    const auto key = random_.below(documents[nested]);
    if (random_.chance(0.25)) {
        Array list;
        for (auto left = random_.below(8); left > 0; --left)
            list.push_back(
                value(Document{{"n", number(random_.below(100))}, {"text", text(random_.hex(8))}}));
        Document row = {{"a", value(Document{{"b", value(Document{{"c", number(1)}})},
                                             {"other", any_value(random_, 2)}})},
                        {"list", value(std::move(list))}};
        if (random_.chance(0.5)) row.push_back({"note", text(random_.hex(200))});
        made.push_back(one(nested, Kind::replace, key, std::move(row)));
    } else if (random_.chance(0.15)) {
        made.push_back(one(nested, Kind::remove, key, {}));
    } else {
        made.push_back(one(nested, Kind::update, key, nested_update()));
    }
}

// Each is made so that it cannot fail on any document of the collection.
auto NastyDocuments::nested_update() -> Document {
    const auto entry = value(Document{{"n", number(random_.below(100))}, {"text", text("pushed")}});
    switch (random_.below(9)) {
        case 0: return {{"$set", value(Document{{"a.b.c", any_value(random_, 2)}})}};
        case 1: return {{"$unset", value(Document{{"a.other", number(1)}})}};
        case 2: return {{"$unset", value(Document{{"note", number(1)}, {"a.b", number(1)}})}};
        case 3: return {{"$push", value(Document{{"list", entry}})}};
        case 4:
            return {{"$push",
                     value(Document{{"list", value(Document{{"$each", value(Array{entry, entry})},
                                                            {"$position", number(0)},
                                                            {"$slice", number(12)}})}})}};
        case 5: return {{"$pop", value(Document{{"list", number(random_.chance(0.5) ? 1 : -1)}})}};
        case 6:
            return {{"$pull", value(Document{
                                  {"list", value(Document{{"n", number(random_.below(100))}})}})}};
        case 7:
            return {{"$set", value(Document{{fmt::format("list.{}", random_.below(10)), entry}})}};
        default:
            return {{"$rename", value(Document{{"note", text("remark")}})},
                    {"$set", value(Document{{"changed", number(random_.below(1000))}})}};
    }
}

// Larger than a batch; and small changes of what is large.
auto NastyDocuments::change_large(Changed& made) -> void {
    const auto key = random_.below(documents[large]);
    constexpr std::int64_t bytes_max = 3 << 20;
    switch (random_.below(4)) {
        case 0:
            made.push_back(one(
                large, Kind::replace, key,
                {{"payload", text(random_.hex(static_cast<std::size_t>(random_.below(bytes_max))))},
                 {"small", number(0)}}));
            break;
        case 1: made.push_back(one(large, Kind::remove, key, {})); break;
        case 2:
            made.push_back(one(large, Kind::update, key,
                               {{"$unset", value(Document{{"payload", number(1)}})}}));
            break;
        default:
            made.push_back(
                one(large, Kind::update, key, {{"small", number(random_.below(1'000'000))}}));
    }
}

// Documents before and after, so that those of the old collection must not be seen in the new one.
auto NastyDocuments::change_collection(Changed& made) -> void {
    const bool drops = random_.chance(0.5);
    const std::size_t collection = drops ? dropped : renamed;
    const auto fill = [&] {
        for (auto left = random_.below(20); left > 0; --left)
            made.push_back(one(collection, Kind::replace, random_.below(documents.at(collection)),
                               {{"value", text(random_.hex(6))}}));
    };
    fill();
    made.push_back(one(collection, drops ? Kind::drop : Kind::rename, 0, {}));
    fill();
}

}  // namespace leat::simulate
