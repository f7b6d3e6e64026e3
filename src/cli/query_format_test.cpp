// What people and programs get to read of an answer.
#include "cli/query_format.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace leat::cli {

namespace {

auto answer() -> QueryAnswer {
    return {{"id", "naïve", "price", "ok", "many"},
            {"BIGINT", "VARCHAR", "DECIMAL(10,2)", "BOOLEAN", "DECIMAL(10,2)[]"},
            {{"1", "a,\"b\"\nc", "12345678.50", "true", "[1.00]"},
             {"-20", "", std::nullopt, std::nullopt, std::nullopt},
             {std::nullopt, std::nullopt, "0.25", "false", "[]"}},
            false};
}

TEST(QueryTable, IsAlignedByTypeAndTellsNullFromEmpty) {
    EXPECT_EQ(as_table(answer()),
              "  id  naïve           price  ok     many\n"
              "----  --------  -----------  -----  ------\n"
              "   1  a,\"b\"\\nc  12345678.50  true   [1.00]\n"
              " -20                   NULL  NULL   NULL\n"
              "NULL  NULL             0.25  false  []\n"
              "(3 rows)\n");
}

TEST(QueryTable, CountsItsRows) {
    EXPECT_EQ(as_table({{"n"}, {"INTEGER"}, {}, false}), "n\n-\n(0 rows)\n");
    EXPECT_EQ(as_table({{"n"}, {"INTEGER"}, {{"7"}}, true}), "n\n-\n7\n(1 row, more were left out)\n");
}

TEST(QueryTable, NothingInItDrivesTheTerminal) {
    EXPECT_EQ(as_table({{"t"}, {"VARCHAR"}, {{"\x1b[2J\t\r"}}, false}),
              "t\n--------\n?[2J\\t\\r\n(1 row)\n");
}

TEST(QueryCsv, NullIsNothingAndEmptyIsQuoted) {
    EXPECT_EQ(as_csv(answer()),
              "id,naïve,price,ok,many\r\n"
              "1,\"a,\"\"b\"\"\nc\",12345678.50,true,[1.00]\r\n"
              "-20,\"\",,,\r\n"
              ",,0.25,false,[]\r\n");
}

TEST(QueryJson, KeepsNumbersAndTruth) {
    auto given = answer();
    given.columns[1] = "a\"b";
    const auto text = as_json(given);
    const auto rows = boost::json::parse(text).as_array();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].at("id").as_int64(), 1);
    EXPECT_EQ(rows[0].at("a\"b").as_string(), "a,\"b\"\nc");
    EXPECT_NE(text.find(R"("price":12345678.50,"ok":true,"many":"[1.00]"})"), std::string::npos);
    EXPECT_TRUE(rows[1].at("price").is_null());
    EXPECT_EQ(rows[1].at("a\"b").as_string(), "");
    EXPECT_EQ(as_json({{"n"}, {"DOUBLE"}, {{"nan"}, {"-inf"}, {"1e300"}}, false}),
              "[\n{\"n\":\"nan\"},\n{\"n\":\"-inf\"},\n{\"n\":1e300}\n]\n");
    EXPECT_EQ(as_json({{"n"}, {"DOUBLE"}, {}, false}), "[]\n");
}

}  // namespace

}  // namespace leat::cli
