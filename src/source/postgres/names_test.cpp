// Names that go into SQL, and texts that come out of the configuration.
#include <gtest/gtest.h>

#include "source/postgres/catalog.hpp"
#include "source/postgres/client.hpp"
#include "source/postgres/slot.hpp"

namespace leat::postgres {

namespace {

TEST(Names, SlotNamesHoldWhatPostgresAllows) {
    EXPECT_EQ(default_name("Shop-1"), "leat_shop_1");
    EXPECT_TRUE(is_slot_name(default_name(std::string(100, 'x'))));
    EXPECT_FALSE(is_slot_name("Shop"));
    EXPECT_FALSE(is_slot_name(""));
    EXPECT_FALSE(is_slot_name(std::string(64, 'x')));
}

TEST(Names, TablesWithAndWithoutSchema) {
    EXPECT_EQ(parse_table_name("orders"), (TableName{"public", "orders"}));
    EXPECT_EQ(parse_table_name("sales.Orders"), (TableName{"sales", "Orders"}));
    EXPECT_EQ(quote_table({"a\"b", "c"}), "\"a\"\"b\".\"c\"");
}

TEST(Names, TextIsQuoted) {
    EXPECT_EQ(quote_text("it's"), "'it''s'");
}

TEST(Names, TokenNamesClusterTimelineAndSlot) {
    EXPECT_EQ((SlotIdentity{"7123", "1", "leat_shop"}).token(), "7123/1/leat_shop");
}

}  // namespace

}  // namespace leat::postgres
