// Which changes of a type leave every value what it was.
#include "source/postgres/type_change.hpp"

#include <gtest/gtest.h>

namespace leat::postgres {

namespace {

auto type(std::uint32_t oid, std::int32_t modifier = -1) -> pgtype::PgType {
    pgtype::PgType made;
    made.oid = oid;
    made.typmod = modifier;
    return made;
}
auto array_of(const pgtype::PgType& element) -> pgtype::PgType {
    pgtype::PgType made;
    made.oid = element.oid + 1000;
    made.element = element;
    return made;
}
auto numeric(int precision, int scale) -> pgtype::PgType {
    return type(1700, ((precision << 16) | (scale & 0x7ff)) + 4);
}
auto varchar(int characters) -> pgtype::PgType {
    return type(1043, characters + 4);
}

const auto int2 = type(21);
const auto int4 = type(23);
const auto int8 = type(20);
const auto text = type(25);
const auto bpchar = type(1042, 9);
const auto float4 = type(700);
const auto float8 = type(701);
const auto date = type(1082);
const auto timestamp = type(1114);
const auto any_numeric = type(1700);

auto change(const pgtype::PgType& from, const pgtype::PgType& to, bool as_text = false)
    -> TypeChange {
    return type_change(from, to, as_text);
}

TEST(TypeChange, Widened) {
    EXPECT_EQ(change(int2, int4), TypeChange::widened);
    EXPECT_EQ(change(int2, int8), TypeChange::widened);
    EXPECT_EQ(change(int4, int8), TypeChange::widened);
    EXPECT_EQ(change(float4, float8), TypeChange::widened);
    EXPECT_EQ(change(varchar(10), varchar(20)), TypeChange::widened);
    EXPECT_EQ(change(varchar(10), text), TypeChange::widened);
    EXPECT_EQ(change(text, type(1043)), TypeChange::widened);
    EXPECT_EQ(change(numeric(8, 2), numeric(12, 2)), TypeChange::widened);
    EXPECT_EQ(change(numeric(8, 2), numeric(10, 4)), TypeChange::widened);
    EXPECT_EQ(change(numeric(8, 2), any_numeric), TypeChange::widened);
    EXPECT_EQ(change(type(1114, 3), timestamp), TypeChange::widened);
    EXPECT_EQ(change(array_of(int4), array_of(int8)), TypeChange::widened);
}

TEST(TypeChange, Rewritten) {
    EXPECT_EQ(change(int8, int4), TypeChange::rewritten);
    EXPECT_EQ(change(int4, text), TypeChange::rewritten);
    EXPECT_EQ(change(text, int4), TypeChange::rewritten);
    EXPECT_EQ(change(float8, float4), TypeChange::rewritten);
    EXPECT_EQ(change(int4, float8), TypeChange::rewritten);
    EXPECT_EQ(change(text, varchar(10)), TypeChange::rewritten);
    EXPECT_EQ(change(varchar(20), varchar(10)), TypeChange::rewritten);
    EXPECT_EQ(change(bpchar, text), TypeChange::rewritten);
    EXPECT_EQ(change(date, timestamp), TypeChange::rewritten);
    EXPECT_EQ(change(timestamp, type(1114, 3)), TypeChange::rewritten);
    EXPECT_EQ(change(timestamp, type(1184)), TypeChange::rewritten);
    EXPECT_EQ(change(any_numeric, numeric(38, 2)), TypeChange::rewritten);
    EXPECT_EQ(change(numeric(8, 2), numeric(8, 4)), TypeChange::rewritten);
    EXPECT_EQ(change(numeric(8, 2), numeric(12, 1)), TypeChange::rewritten);
    EXPECT_EQ(change(int4, array_of(int4)), TypeChange::rewritten);
}

TEST(TypeChange, SpellingCountsForText) {
    EXPECT_EQ(change(numeric(8, 2), numeric(10, 4), true), TypeChange::rewritten);
    EXPECT_EQ(change(numeric(8, 2), numeric(10, 2), true), TypeChange::widened);
    EXPECT_EQ(change(array_of(float4), array_of(float8), true), TypeChange::rewritten);
    EXPECT_EQ(change(array_of(int4), array_of(int8), true), TypeChange::widened);
}

TEST(TypeChange, SourceTypeIsReadAsItWasWritten) {
    EXPECT_EQ(change(int4, int4), TypeChange::none);
    const auto read = parse_source_type(source_type(numeric(8, 2)));
    EXPECT_EQ(read.oid, 1700U);
    EXPECT_EQ(read.modifier, numeric(8, 2).typmod);
    EXPECT_EQ(parse_source_type(source_type(int4)).modifier, -1);
}

}  // namespace

}  // namespace leat::postgres
