// One function per trap; see nasty_documents.hpp. Documents are named by numbers in a small range,
// so that each is changed often; whether one is there is not known and does not matter.
#include "simulate/nasty_documents.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "simulate/nasty_values.hpp"

namespace leat::simulate {

namespace {

enum Collection : std::size_t {
    any_ids,
    drifting,
    nested,
    large,
    dropped,
    renamed,
    bulk,
    accounts,
    transfers
};
constexpr std::array<const char*, 9> names = {"nasty_ids",   "nasty_drifting", "nasty_nested",
                                              "nasty_large", "nasty_dropped",  "nasty_renamed",
                                              "nasty_bulk",  "nasty_accounts", "nasty_transfers"};
// How many there can be.
constexpr std::array<std::int64_t, 9> documents = {400, 200, 200, 12, 50, 50, 6'000, 1'000, 0};
constexpr std::array with_images = {nested, drifting, dropped, accounts, transfers};
// Whose states must add up are not among them.
constexpr std::array<std::size_t, 4> switched = {drifting, nested, bulk, any_ids};

constexpr double ordinary_share = 0.4;
constexpr double transaction_share = 0.3;  // of the others
constexpr double rolled_back_share = 0.2;  // of these
constexpr double bulk_share = 0.02;
constexpr double money_share = 0.2;
constexpr double collection_share = 0.015;
constexpr double many_share = 0.004;
constexpr double images_share = 0.006;

auto number(std::int64_t held) -> Value {
    return value(static_cast<std::int32_t>(held));
}

}  // namespace

auto nasty_collections() -> std::vector<Table> {
    std::vector<Table> tables(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) tables[i].name = names.at(i);
    for (const auto i : with_images) tables[i].post_images = true;
    for (std::int64_t id = 1; id <= documents[accounts]; ++id)
        tables[accounts].first_documents.push_back({{"_id", value(id)},
                                                    {"id", value(id)},
                                                    {"opening", number(1'000)},
                                                    {"balance", number(1'000)}});
    return tables;
}

auto NastyDocuments::next(std::int64_t limit) -> Transaction {
    if (random_.chance(ordinary_share)) return ordinary_.next(limit);
    if (auto made = special()) return *std::move(made);
    auto made = small();
    const auto kept = std::min(limit, static_cast<std::int64_t>(made.changes.size()));
    made.changes.resize(static_cast<std::size_t>(kept));
    return made;
}

// What makes sense as a whole only.
auto NastyDocuments::special() -> std::optional<Transaction> {
    auto drawn = random_.share();
    Transaction made;
    if ((drawn -= money_share) < 0) return move_money();
    if ((drawn -= collection_share) < 0) {
        change_collection(made.changes);
    } else if ((drawn -= images_share) < 0) {
        switch_images(made.changes);
    } else if (drawn < many_share) {
        change_many(made.changes);
        made.ending = Ending::commit;
    } else {
        return std::nullopt;
    }
    return made;
}

auto NastyDocuments::small() -> Transaction {
    Transaction made;
    auto operations = random_.between(1, 3);
    if (random_.chance(transaction_share)) {
        made.ending = random_.chance(rolled_back_share) ? Ending::roll_back : Ending::commit;
        operations = random_.between(1, 12);
    } else if (random_.chance(bulk_share)) {
        operations = random_.between(50, 300);
    }
    for (; operations > 0; --operations) any(made.changes);
    return made;
}

// From one account to another, and the note of it: seen together or not at all.
auto NastyDocuments::move_money() -> Transaction {
    const auto source = random_.between(1, 999);
    const auto target = random_.between(source + 1, 1'000);
    const auto amount = random_.between(-100, 100);
    const auto add_to = [&](std::int64_t account, std::int64_t more) {
        return one(accounts, Kind::update, account,
                   {{"$inc", value(Document{{"balance", number(more)}})}});
    };
    Change note{
        Kind::insert,
        first_ + transfers,
        value(Extended{fmt::format(R"({{"$oid": "{}"}})", random_.hex(24))}),
        {{"source", number(source)}, {"target", number(target)}, {"amount", number(amount)}}};
    return {{add_to(source, -amount), add_to(target, amount), std::move(note)},
            random_.chance(rolled_back_share) ? Ending::roll_back : Ending::commit};
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
    else if (drawn < 85) change_nested(made);
    else if (drawn < 98) change_bulk(made);
    else change_large(made);
}

// Keys of every type, and such as are equal and not the same.
auto NastyDocuments::change_any_id(Changed& made) -> void {
    auto key =
        random_.chance(0.3) ? equal_key(random_) : any_key(random_.below(documents[any_ids]));
    const auto change = [&](Kind kind, Document values) {
        made.push_back({kind, first_ + any_ids, key, std::move(values)});
    };
    switch (random_.below(5)) {
        case 0: change(Kind::remove, {}); break;
        case 1: change(Kind::update, {{"$inc", value(Document{{"count", number(1)}})}}); break;
        case 2:
            change(Kind::remove, {});
            change(Kind::replace, {{"value", text("again")}});
            break;
        default: change(Kind::replace, {{"value", any_value(random_, 2)}, {"count", number(0)}});
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

// The same field holds another type now and then; sometimes it is null, sometimes it is not there.
// A whole document goes in as a new one, for a replacement may not have every name.
auto NastyDocuments::drift(Changed& made) -> void {
    const auto key = random_.below(documents[drifting]);
    if (random_.chance(0.4)) {
        made.push_back(one(drifting, Kind::remove, key, {}));
        made.push_back(one(drifting, Kind::insert, key, drifting_fields(random_, true)));
    } else if (random_.chance(0.2)) {
        made.push_back(one(drifting, Kind::update, key,
                           {{"$unset", value(Document{{"i", number(1)}})},
                            {"$set", value(Document{{"t", value(Null{})}})}}));
    } else {
        made.push_back(
            one(drifting, Kind::update, key, {{"$set", value(drifting_fields(random_, false))}}));
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
    const std::int64_t bytes_max = random_.chance(0.2) ? 3 << 20 : 200 << 10;
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

auto NastyDocuments::change_bulk(Changed& made) -> void {
    const auto key = random_.below(documents[bulk]);
    switch (random_.below(4)) {
        case 0: made.push_back(one(bulk, Kind::remove, key, {})); break;
        case 1:
            made.push_back(
                one(bulk, Kind::update, key, {{"$inc", value(Document{{"n", number(1)}})}}));
            break;
        default:
            made.push_back(one(bulk, Kind::replace, key,
                               {{"payload", text(random_.hex(random_.chance(0.3) ? 300 : 30))},
                                {"n", number(random_.below(9))}}));
    }
}

// More than one entry of the log, and one batch, can hold.
auto NastyDocuments::change_many(Changed& made) -> void {
    const auto first = random_.below(documents[bulk] - 2'500);
    const auto last = first + (random_.chance(0.5) ? 1'000 : 2'500);
    const auto way = random_.below(4);
    for (auto key = first; key < last; ++key) {
        if (way == 0) made.push_back(one(bulk, Kind::remove, key, {}));
        else if (way == 1)
            made.push_back(
                one(bulk, Kind::update, key, {{"$inc", value(Document{{"n", number(1)}})}}));
        else
            made.push_back(one(bulk, Kind::replace, key,
                               {{"payload", text(random_.hex(60))}, {"n", number(way)}}));
    }
}

// With the collection, documents go or come that are not told one by one; those before and after
// must not be seen in each other's place.
auto NastyDocuments::change_collection(Changed& made) -> void {
    const bool drops = random_.chance(0.5);
    const std::size_t collection = drops ? dropped : renamed;
    const auto key = [&] { return random_.below(documents.at(collection)); };
    const auto row = [&]() -> Document { return {{"value", text(random_.hex(6))}}; };
    const auto fill = [&] {
        for (auto left = random_.below(20); left > 0; --left)
            made.push_back(one(collection, Kind::replace, key(), row()));
    };
    const auto kind = drops ? Kind::drop : random_.chance(0.6) ? Kind::rename : Kind::exchange;
    const bool plain = kind != Kind::exchange && random_.chance(0.5);
    fill();
    made.push_back(one(collection, kind, key(), plain ? Document() : row()));
    fill();
}

// From then on updates come with their documents, or without.
auto NastyDocuments::switch_images(Changed& made) -> void {
    const auto collection = random_.pick(switched);
    made.push_back(one(collection, Kind::alter, 0, {{"enabled", value(random_.chance(0.5))}}));
    for (auto left = random_.between(1, 4); left > 0; --left) any(made);
}

}  // namespace leat::simulate
