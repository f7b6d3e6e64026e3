// Which Arrow type and tag every kind of PostgreSQL type gets.
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "format/pgtype/written_test.hpp"

namespace leat::pgtype {
namespace {

auto mapped(const PgType& type) -> std::string {
    const auto mapping = map(type);
    return mapping.type->ToString() +
           (mapping.logical_type.empty() ? "" : " " + mapping.logical_type) +
           (mapping.binary_ok ? "" : " text only");
}

auto named(std::string name, Kind kind = Kind::base) -> PgType {
    auto type = base(70'000);
    type.name = std::move(name);
    type.kind = kind;
    return type;
}

TEST(PgtypeMap, types_that_arrow_knows) {
    EXPECT_EQ(mapped(base(16)), "bool");
    EXPECT_EQ(mapped(base(21)), "int16");
    EXPECT_EQ(mapped(base(23)), "int32");
    EXPECT_EQ(mapped(base(20)), "int64");
    EXPECT_EQ(mapped(base(26)), "uint32");
    EXPECT_EQ(mapped(base(700)), "float");
    EXPECT_EQ(mapped(base(701)), "double");
    EXPECT_EQ(mapped(base(17)), "binary");
    for (const auto oid : {18U, 19U, 25U, 1042U, 1043U}) EXPECT_EQ(mapped(base(oid)), "string");
    EXPECT_EQ(mapped(named("citext")), "string");
    EXPECT_EQ(mapped(base(1082)), "date32[day]");
    EXPECT_EQ(mapped(base(1083)), "time64[us]");
    EXPECT_EQ(mapped(base(1114)), "timestamp[us]");
    EXPECT_EQ(mapped(base(1184)), "timestamp[us, tz=UTC]");
}

TEST(PgtypeMap, numeric_is_decimal_only_where_that_is_lossless) {
    EXPECT_EQ(mapped(numeric(12, 2)), "decimal128(12, 2)");
    EXPECT_EQ(mapped(numeric(38, 0)), "decimal128(38, 0)");
    EXPECT_EQ(mapped(numeric(38, 38)), "decimal128(38, 38)");
    for (const auto& type : {base(1700), numeric(39, 2), numeric(3, 5), numeric(5, -2),
                             numeric(1000, 500), base(1700, 3)})
        EXPECT_EQ(mapped(type), "string numeric");
}

TEST(PgtypeMap, tags) {
    EXPECT_EQ(mapped(base(2950)), "fixed_size_binary[16] uuid");
    EXPECT_EQ(mapped(base(114)), "string json");
    EXPECT_EQ(mapped(base(3802)), "string json");
    EXPECT_EQ(mapped(named("mood", Kind::enumeration)), "string enum");
    EXPECT_EQ(mapped(named("interval")), "string interval text only");
    EXPECT_EQ(mapped(named("address", Kind::composite)), "string address text only");
    EXPECT_EQ(mapped(named("int4range", Kind::range)), "string int4range text only");
    EXPECT_EQ(mapped(named("int4multirange", Kind::other)), "string int4multirange text only");
    EXPECT_EQ(mapped(named("")), "string oid 70000 text only");
}

TEST(PgtypeMap, arrays) {
    EXPECT_EQ(mapped(array_of(base(23))), "list<item: int32>");
    EXPECT_EQ(mapped(array_of(numeric(10, 3))), "list<item: decimal128(10, 3)>");
    EXPECT_EQ(mapped(array_of(base(2950))), "list<item: fixed_size_binary[16]> uuid[]");
    EXPECT_EQ(mapped(array_of(named("inet"))), "list<item: string> inet[] text only");
    EXPECT_EQ(mapped(array_of(named("int4"), 2)), "string int4[] text only");
    EXPECT_EQ(mapped(array_of(named("int4"), 0)), "string int4[] text only");
    EXPECT_EQ(mapped(array_of(named("_int4", Kind::array))), "string _int4[] text only");
    EXPECT_EQ(mapped(named("_lost", Kind::array)), "string _lost text only");
}

TEST(PgtypeMap, errors_name_column_and_reason_but_no_value) {
    const auto error = to_error(ValueFault::not_finite, "price", map(numeric(12, 2)));
    EXPECT_EQ(error.fault, Fault::poison);
    EXPECT_EQ(error.what,
              "value cannot be taken: NaN or infinity, which a decimal cannot hold, column price, "
              "type decimal128(12, 2)");
    EXPECT_FALSE(error.hint.empty());
    EXPECT_EQ(to_error(ValueFault::capacity, "note", map(base(25))).fault, Fault::fatal);
}

TEST(PgtypeMap, a_builder_of_another_type_is_refused) {
    const auto builder = arrow::MakeBuilder(arrow::int64()).ValueOrDie();
    EXPECT_FALSE(ValueWriter::make(map(base(23)), builder.get()));
}

TEST(PgtypeMap, defaults) {
    const auto scalar = parse_default(map(numeric(12, 2)), "1.50");
    ASSERT_TRUE(scalar);
    EXPECT_EQ((*scalar)->ToString(), "1.50");
    const auto list = parse_default(map(array_of(base(25))), "{a,NULL}");
    ASSERT_TRUE(list);
    EXPECT_EQ((*list)->type->ToString(), "list<item: string>");
    EXPECT_FALSE(parse_default(map(base(23)), "now()"));
}

}  // namespace
}  // namespace leat::pgtype
