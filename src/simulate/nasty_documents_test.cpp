// The nasty mix: repeatable, and with every trap in it.
#include "simulate/nasty_documents.hpp"

#include <gtest/gtest.h>

#include <set>

#include "simulate/bson_document.hpp"
#include "simulate/nasty_values.hpp"

namespace leat::simulate {
namespace {

auto json_of(const Bson& document) -> std::string {
    char* text = bson_as_canonical_extended_json(document.get(), nullptr);
    std::string json(text);
    bson_free(text);
    return json;
}

struct Drawn {
    std::string text;
    std::set<Kind> kinds;
    std::set<Ending> endings;
    std::set<std::size_t> tables;
    bool has_large = false;
};

auto draw(std::uint64_t seed, int transactions) -> Drawn {
    const auto data = shop();
    Generator ordinary({.data = data, .mix = *find_mix("nasty"), .seed = seed, .wall_us = {}}, {});
    NastyDocuments nasty(ordinary, {data.tables.size(), seed, 0});
    Drawn drawn;
    for (int i = 0; i < transactions; ++i) {
        const auto transaction = nasty.next(1'000'000);
        drawn.endings.insert(transaction.ending);
        drawn.has_large = drawn.has_large || transaction.changes.size() >= 1'000;
        for (const auto& change : transaction.changes) {
            drawn.kinds.insert(change.kind);
            drawn.tables.insert(change.table);
            if (i % 3 == 0) drawn.text += json_of(bson_of(change.key, change.values)) + "\n";
        }
    }
    return drawn;
}

TEST(NastyDocumentsTest, OneSeedMakesTheSameChanges) {
    const auto first = draw(1, 300).text;
    EXPECT_EQ(first, draw(1, 300).text);
    EXPECT_NE(first, draw(2, 300).text);
}

TEST(NastyDocumentsTest, EveryTrapIsInTheMix) {
    const auto drawn = draw(3, 4'000);
    EXPECT_EQ(drawn.kinds, (std::set<Kind>{Kind::insert, Kind::update, Kind::replace, Kind::remove,
                                           Kind::drop, Kind::rename, Kind::exchange, Kind::alter}));
    EXPECT_EQ(drawn.endings.size(), 3U);
    EXPECT_EQ(drawn.tables.size(), shop().tables.size() + nasty_collections().size());
    EXPECT_TRUE(drawn.has_large);
    for (const auto* part :
         {"with.dot", "$dollar", "_NULLS", "$unset", "$push", "$pop", "$pull", "$rename", "$each",
          "a.b.c", "$minKey", "$numberDecimal", "$timestamp", "$undefined"})
        EXPECT_NE(drawn.text.find(part), std::string::npos) << part;
}

TEST(NastyDocumentsTest, MoneyOnlyMovesBetweenAccounts) {
    const auto data = shop();
    Generator ordinary({.data = data, .mix = *find_mix("nasty"), .seed = 1, .wall_us = {}}, {});
    NastyDocuments nasty(ordinary, {data.tables.size(), 1, 0});
    const auto names = nasty_collections();
    int transfers = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto transaction = nasty.next(1'000'000);
        std::int32_t sum = 0;
        for (const auto& change : transaction.changes) {
            if (change.table < data.tables.size() ||
                names.at(change.table - data.tables.size()).name != "nasty_accounts")
                continue;
            ++transfers;
            EXPECT_NE(transaction.ending, Ending::together);
            const auto& more = std::get<Document>(change.values.at(0).value.held);
            sum += std::get<std::int32_t>(more.at(0).value.held);
        }
        EXPECT_EQ(sum, 0);
    }
    EXPECT_GT(transfers, 0);
}

TEST(NastyDocumentsTest, NoTwoNumbersGiveEqualKeys) {
    std::set<std::string> keys;
    std::set<std::uint8_t> types;
    for (std::int64_t number = 0; number < 400; ++number) {
        const auto document = bson_of(any_key(number), {});
        keys.insert(json_of(document));
        bson_iter_t at;
        ASSERT_TRUE(bson_iter_init_find(&at, document.get(), "_id"));
        types.insert(static_cast<std::uint8_t>(bson_iter_type(&at)));
    }
    EXPECT_EQ(keys.size(), 400U);
    EXPECT_EQ(types.size(), 14U);
}

TEST(BsonDocumentTest, EachKindOfValueHasItsType) {
    const Document document = {{"null", value(Null{})},
                               {"truth", value(true)},
                               {"int", value(7)},
                               {"long", value(std::int64_t{8})},
                               {"text", text("a")},
                               {"price", value(Decimal{"1.50"})},
                               {"at", value(Time{1'500'000})},
                               {"id", value(Extended{R"({"$minKey": 1})"})},
                               {"list", value(Array{value(1), text("b")})}};
    EXPECT_EQ(json_of(bson_of(document)),
              R"({ "null" : null, "truth" : true, "int" : { "$numberInt" : "7" }, )"
              R"("long" : { "$numberLong" : "8" }, "text" : "a", )"
              R"("price" : { "$numberDecimal" : "1.50" }, )"
              R"("at" : { "$date" : { "$numberLong" : "1500" } }, "id" : { "$minKey" : 1 }, )"
              R"("list" : [ { "$numberInt" : "1" }, "b" ] })");
}

}  // namespace
}  // namespace leat::simulate
