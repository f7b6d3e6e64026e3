// The SQL of changes.
#include "simulate/postgres_statements.hpp"

#include <gtest/gtest.h>

#include "simulate/postgres_text.hpp"

namespace leat::simulate {
namespace {

const Table orders = shop().tables[1];
const Change row = {
    Kind::insert,
    1,
    value(std::int64_t{3}),
    {{"amount", value(Decimal{"1.50"})},
     {"tags", value(Array{text("web"), text("a\"b")})},
     {"items",
      value(Array{value(Document{{"sku", text("rye")}, {"price", value(Decimal{"0.50"})}})})},
     {"changed", value(Time{1'767'225'600'000'001})}}};

TEST(PostgresStatementsTest, InsertsNameEveryColumnInItsPlace) {
    const auto made = statement_of(row, orders);
    EXPECT_EQ(made.sql, R"(INSERT INTO "public"."orders" VALUES ($1, $2, $3, $4, $5, $6, $7))");
    const std::vector<std::optional<std::string>> expected = {"3",
                                                              std::nullopt,
                                                              "1.50",
                                                              std::nullopt,
                                                              R"({"web","a\"b"})",
                                                              R"([{"sku":"rye","price":"0.50"}])",
                                                              "2026-01-01 00:00:00.000001+00"};
    EXPECT_EQ(made.values, expected);
}

TEST(PostgresStatementsTest, UpdatesAndKeyChangesSetWhatIsGiven) {
    const Change update = {Kind::update, 1, value(std::int64_t{3}), {{"status", text("paid")}}};
    EXPECT_EQ(statement_of(update, orders).sql,
              R"(UPDATE "public"."orders" SET "status" = $2 WHERE id = $1)");
    const Change rekey = {Kind::rekey, 1, value(std::int64_t{3}), {{"id", value(std::int64_t{9})}}};
    const auto made = statement_of(rekey, orders);
    EXPECT_EQ(made.sql, R"(UPDATE "public"."orders" SET "id" = $2 WHERE id = $1)");
    EXPECT_EQ(made.values, (std::vector<std::optional<std::string>>{"3", "9"}));
}

TEST(PostgresStatementsTest, DeletesNameTheKey) {
    const auto made = statement_of({Kind::remove, 1, value(std::int64_t{3}), {}}, orders);
    EXPECT_EQ(made.sql, R"(DELETE FROM "public"."orders" WHERE id = $1)");
}

TEST(PostgresStatementsTest, ALineOfCopyEscapesWhatWouldEndIt) {
    const Change odd = {Kind::insert, 1, value(std::int64_t{3}), {{"status", text("a\tb\\c\n")}}};
    EXPECT_EQ(copy_line(odd, orders), "3\t\\N\t\\N\ta\\tb\\\\c\\n\t\\N\t\\N\t\\N\n");
}

TEST(PostgresTextTest, TimesBeforeTheEpochCountBackwards) {
    EXPECT_EQ(postgres_text(value(Time{-1}), ColumnType::timestamp),
              "1969-12-31 23:59:59.999999+00");
}

}  // namespace
}  // namespace leat::simulate
