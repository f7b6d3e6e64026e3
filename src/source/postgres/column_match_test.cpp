// Which columns a message speaks of, when the catalog says the same, something newer, or nothing.
#include "source/postgres/column_match.hpp"

#include <gtest/gtest.h>

namespace leat::postgres {

namespace {

constexpr std::uint32_t message_xid = 100;
constexpr std::uint32_t before = 90;
constexpr std::uint32_t after = 110;

using Numbers = std::vector<std::int32_t>;
enum class Type : std::uint8_t { text, integer };

auto oid_of(Type type) -> std::uint32_t {
    return type == Type::text ? 25U : 23U;
}

class Matching {
public:
    auto known(std::int32_t number, const char* name, Type type = Type::text) -> Matching& {
        Column column;
        column.name = name;
        column.id = number;
        column.source_type = std::to_string(oid_of(type)) + ":-1";
        schema_.columns.push_back(std::move(column));
        return *this;
    }
    auto now(std::int32_t number, const char* name, Type type = Type::text) -> Matching& {
        CatalogColumn column;
        column.number = number;
        column.name = name;
        column.type_oid = oid_of(type);
        catalog_.columns.push_back(std::move(column));
        return *this;
    }
    auto dropped(std::int32_t number, std::uint32_t xid) -> Matching& {
        catalog_.dropped.push_back({number, xid});
        return *this;
    }
    auto sent(const char* name, Type type = Type::text) -> Matching& {
        sent_.push_back({name, oid_of(type), -1, std::to_string(oid_of(type)) + ":-1"});
        return *this;
    }
    auto table_is_gone() -> Matching& {
        is_gone_ = true;
        return *this;
    }
    // Empty: an error.
    [[nodiscard]] auto numbers() const -> Numbers {
        const auto found =
            match_columns({schema_, sent_, is_gone_ ? nullptr : &catalog_, message_xid});
        return found ? *found : Numbers{};
    }

private:
    TableSchema schema_{{"public", "t"}, {}, {}};
    CatalogTable catalog_;
    std::vector<SentColumn> sent_;
    bool is_gone_ = false;
};

const Numbers cannot_be_told;

auto keyed() -> Matching {
    Matching made;
    made.known(1, "id").now(1, "id").sent("id");
    return made;
}

TEST(ColumnMatch, NothingChanged) {
    EXPECT_EQ(keyed().known(2, "v").now(2, "v").sent("v").numbers(), (Numbers{1, 2}));
}

TEST(ColumnMatch, Renames) {
    EXPECT_EQ(keyed().known(2, "a").now(2, "b").sent("b").numbers(), (Numbers{1, 2}));
    // Each other's names.
    EXPECT_EQ(
        keyed().known(2, "a").known(3, "b").now(2, "b").now(3, "a").sent("b").sent("a").numbers(),
        (Numbers{1, 2, 3}));
    // Renamed again, and another one renamed to the first name, before the rows are read.
    EXPECT_EQ(
        keyed().known(2, "a").known(3, "b").now(2, "c").now(3, "a").sent("x").sent("b").numbers(),
        (Numbers{1, 2, 3}));
}

TEST(ColumnMatch, AddedAndDropped) {
    EXPECT_EQ(keyed().known(2, "a").now(2, "a").now(3, "b").sent("a").sent("b").numbers(),
              (Numbers{1, 2, 3}));
    EXPECT_EQ(keyed().known(2, "a").now(2, "a").now(3, "b").sent("a").numbers(), (Numbers{1, 2}));
    EXPECT_EQ(keyed().known(2, "a").dropped(2, before).numbers(), Numbers{1});
    EXPECT_EQ(keyed().known(2, "a").dropped(2, after).sent("a").numbers(), (Numbers{1, 2}));
    EXPECT_EQ(keyed()
                  .known(2, "a")
                  .known(3, "b")
                  .now(3, "b")
                  .now(4, "a")
                  .dropped(2, before)
                  .sent("b")
                  .sent("a")
                  .numbers(),
              (Numbers{1, 3, 4}));
}

TEST(ColumnMatch, AddedAndRenamedBeforeItsRowsAreRead) {
    EXPECT_EQ(keyed().now(2, "d").sent("c").numbers(), (Numbers{1, 2}));
    // Number 2 was gone before: only 3 can have been called c.
    EXPECT_EQ(keyed().now(3, "d").dropped(2, before).sent("c").numbers(), cannot_be_told);
}

TEST(ColumnMatch, CameAndWentBeforeItsRowsAreRead) {
    EXPECT_EQ(keyed().dropped(2, after).sent("c").numbers(), (Numbers{1, 2}));
    EXPECT_EQ(keyed().dropped(2, after).now(3, "d").sent("c").numbers(), (Numbers{1, 2}));
    EXPECT_EQ(keyed().known(2, "a").table_is_gone().sent("a").sent("c").numbers(),
              (Numbers{1, 2, 3}));
}

TEST(ColumnMatch, RenamedThenDroppedAndAddedUnderTheNewName) {
    // Read in time: the rename, then the other column.
    EXPECT_EQ(keyed().known(2, "a").now(2, "b").sent("b").numbers(), (Numbers{1, 2}));
    EXPECT_EQ(keyed()
                  .known(2, "b")
                  .dropped(2, before)
                  .now(3, "b", Type::integer)
                  .sent("b", Type::integer)
                  .numbers(),
              (Numbers{1, 3}));
    // No row in between: the former is gone, the latter is new.
    EXPECT_EQ(keyed().known(2, "a").dropped(2, before).now(3, "b").sent("b").numbers(),
              (Numbers{1, 3}));
    // Rows in between, read after all of it: they may be of the former.
    EXPECT_EQ(keyed().known(2, "a").dropped(2, after).now(3, "b").sent("b").numbers(),
              cannot_be_told);
    EXPECT_EQ(keyed()
                  .known(2, "a")
                  .dropped(2, after)
                  .now(3, "b", Type::integer)
                  .sent("b", Type::integer)
                  .numbers(),
              (Numbers{1, 3}));
}

TEST(ColumnMatch, ReplacedUnderTheSameNameAndTypeCannotBeTold) {
    EXPECT_EQ(keyed().known(2, "v").dropped(2, before).now(3, "v").sent("v").numbers(),
              cannot_be_told);
    EXPECT_EQ(keyed().known(2, "v").dropped(2, after).now(3, "v").sent("v").numbers(),
              cannot_be_told);
}

TEST(ColumnMatch, OtherTypeUnderTheSameNameIsTheSameColumn) {
    EXPECT_EQ(keyed().known(2, "v").now(2, "v", Type::integer).sent("v", Type::integer).numbers(),
              (Numbers{1, 2}));
}

TEST(ColumnMatch, KnownColumnThatIsNotSentIsNoMatch) {
    EXPECT_EQ(keyed().known(2, "v").now(2, "v").numbers(), cannot_be_told);
    EXPECT_EQ(keyed().sent("more").numbers(), cannot_be_told);
}

}  // namespace

}  // namespace leat::postgres
