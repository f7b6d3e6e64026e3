// Documents into columns: what goes where, and what columns become as documents drift.
#include "source/mongodb/row_builder.hpp"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include "source/mongodb/bson_fixture.hpp"

namespace leat::mongodb {
namespace {

using fixture::document;
using fixture::raw_document;
using fixture::row_texts;
using Lines = std::vector<std::string>;

const TableName orders{"", "orders"};

class Rows {
public:
    explicit Rows(ShapeRules shapes = {}, RowRules rules = {})
        : book_(open(folder_, std::move(shapes))), builder_(orders, *book_, rules) {}

    auto add(const std::string& json, Op op = Op::insert) -> Rows& {
        return add_bytes(document(json), op);
    }
    auto add_bytes(const std::string& bytes, Op op = Op::insert) -> Rows& {
        const auto added = builder_.add({op, 1, ordinal_++, 0}, bytes);
        EXPECT_TRUE(added) << added.error().what;
        return *this;
    }
    auto add_delta(const std::string& key, const std::string& description) -> bool {
        const auto bytes = document(description);
        const auto delta = read_delta(bytes);
        if (!delta) return false;
        return *builder_.add_delta({Op::update, 1, ordinal_++, 0}, document(key), *delta);
    }
    auto finish() -> std::vector<Batch> {
        auto batches = builder_.finish();
        EXPECT_TRUE(batches) << batches.error().what;
        for (const auto& batch : *batches) EXPECT_TRUE(batch.rows->ValidateFull().ok());
        return *std::move(batches);
    }
    auto lines() -> Lines { return row_texts(finish()); }
    // "name:type" of the newest shape.
    auto columns() -> Lines {
        Lines columns;
        for (const auto& column : book_->find(orders)->schema()->columns)
            columns.push_back(column.name + ":" + column.source_type);
        return columns;
    }
    auto book() -> ShapeBook& { return *book_; }
    auto builder() -> RowBuilder& { return builder_; }
    auto folder() -> const fixture::Folder& { return folder_; }

private:
    static auto open(const fixture::Folder& folder, ShapeRules shapes)
        -> std::unique_ptr<ShapeBook> {
        auto book = ShapeBook::open(folder.path() / "shapes", std::move(shapes));
        CHECK(book.has_value());
        return *std::move(book);
    }

    fixture::Folder folder_;
    std::unique_ptr<ShapeBook> book_;
    RowBuilder builder_;
    std::uint64_t ordinal_ = 0;
};

TEST(RowBuilder, EveryTypeHasItsColumn) {
    Rows rows;
    rows.add(R"({"_id": 1, "b": true, "i": 2, "l": {"$numberLong": "3"}, "d": 0.5,
        "n": {"$numberDecimal": "1.50"}, "s": "text", "o": {"$oid": "65f1c0ffee5eed0123456789"},
        "t": {"$date": "2026-03-14T15:09:26.535Z"},
        "u": {"$binary": {"base64": "AAECAwQFBgcICQoLDA0ODw==", "subType": "04"}},
        "x": {"$binary": {"base64": "AP8=", "subType": "00"}}, "doc": {"a": [1, "1"]},
        "list": [1.0, null], "re": {"$regularExpression": {"pattern": "a", "options": "i"}},
        "ts": {"$timestamp": {"t": 1, "i": 2}}, "min": {"$minKey": 1},
        "md5": {"$binary": {"base64": "AP8=", "subType": "05"}}})");
    EXPECT_EQ(rows.columns(),
              (Lines{"_id:int", "b:bool", "i:int", "l:int", "d:double", "n:decimal", "s:string",
                     "o:objectId", "t:date", "u:uuid", "x:binData", "doc:mixed", "list:mixed",
                     "re:mixed", "ts:mixed", "min:mixed", "md5:mixed"}));
    const auto line = rows.lines().at(0);
    for (const auto* const part :
         {" n=1.50 ", " o=65f1c0ffee5eed0123456789 ", R"( doc={"a":[1,"1"]})", " list=[1.0,null] ",
          R"( ts={"$timestamp":{"t":1,"i":2}})", R"( min={"$minKey":1})"})
        EXPECT_NE(line.find(part), std::string::npos) << part << line;
}

TEST(RowBuilder, MissingAndNullAreNull) {
    Rows rows;
    rows.add(R"({"_id": 1, "a": "x"})").add(R"({"_id": 2, "a": null})").add(R"({"_id": 3})");
    EXPECT_EQ(rows.lines(), (Lines{"I _id=1 a=x", "I _id=2 a=-", "I _id=3 a=-"}));
}

TEST(RowBuilder, NullsAreToldApartOnRequest) {
    Rows rows({}, {.tells_nulls = true});
    rows.add(R"({"_id": 1, "a": null, "b": null, "c": 1})").add(R"({"_id": 2})");
    EXPECT_EQ(rows.lines(), (Lines{R"(I _id=1 c=1 _nulls=["a","b"])", "I _id=2 c=- _nulls=-"}));
}

TEST(RowBuilder, NewFieldBeginsANewVersion) {
    Rows rows;
    rows.add(R"({"_id": 1})").add(R"({"_id": 2, "a": 1})");
    const auto batches = rows.finish();
    ASSERT_EQ(batches.size(), 2U);
    EXPECT_EQ(batches[0].schema->version, 1U);
    EXPECT_EQ(batches[1].schema->version, 2U);
    EXPECT_EQ(row_texts(batches), (Lines{"I _id=1", "I _id=2 a=1"}));
}

TEST(RowBuilder, NumbersWidenOnlyAsFarAsTheyStayExact) {
    Rows rows;
    rows.add(R"({"_id": 1, "a": 1, "b": {"$numberLong": "9007199254740993"}, "c": 1})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "a:int", "b:long", "c:int"}));
    rows.add(R"({"_id": 2, "a": 0.5, "b": 0.5, "c": {"$numberDecimal": "0.10"}})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "a:double", "b:decimal", "c:decimal"}));
    rows.add(R"({"_id": 3, "a": {"$numberLong": "9007199254740993"}, "b": 2, "c": 1e300})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "a:decimal", "b:decimal", "c:decimal"}));
    EXPECT_EQ(rows.lines().back(), "I _id=3 a=9007199254740993 b=2 c=1e+300");
}

TEST(RowBuilder, OtherMixturesAreJson) {
    Rows rows;
    rows.add(R"({"_id": 1, "a": 1})")
        .add(R"({"_id": 2, "a": "1"})")
        .add(R"({"_id": 3, "a": 1})")
        .add(R"({"_id": 4, "a": {"$date": "2026-03-14T00:00:00Z"}})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "a:mixed"}));
    EXPECT_EQ(rows.lines(), (Lines{"I _id=1 a=1", R"(I _id=2 a="1")", "I _id=3 a=1",
                                   R"(I _id=4 a={"$date":"2026-03-14T00:00:00Z"})"}));
}

TEST(RowBuilder, VariantsGoAsideAndTheColumnStays) {
    Rows rows({.always_extra = true}, {.on_conflict = OnConflict::variant});
    rows.add(R"({"_id": 1, "a": 1})").add(R"({"_id": 2, "a": "1"})").add(R"({"_id": "x", "a": 3})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:mixed", "a:int", "_extra:mixed"}));
    EXPECT_EQ(rows.lines(), (Lines{"I _id=1 a=1 _extra=-", R"(I _id=2 a=- _extra={"a":"1"})",
                                   R"(I _id="x" a=3 _extra=-)"}));
}

TEST(RowBuilder, MisfitsAreSaidBesideTheRow) {
    Rows rows({}, {.on_conflict = OnConflict::dead_letter});
    rows.add(R"({"_id": 1, "a": 1, "b": "x"})")
        .add(R"({"_id": "2", "a": "1", "b": {"c": 1}, "": 0})")
        .add(R"({"_id": 3, "a": 3, "_misfits": 1})");
    EXPECT_EQ(rows.columns(),
              (Lines{"_id:mixed", "a:int", "b:string", "_extra:mixed", "_misfits:mixed"}));
    EXPECT_EQ(rows.lines(),
              (Lines{"I _id=1 a=1 b=x",
                     R"(I _id="2" a=- b=- _extra={"":0} _misfits={"a":"1","b":{"c":1}})",
                     R"(I _id=3 a=3 b=- _extra={"_misfits":1} _misfits=-)"}));
}

TEST(RowBuilder, DeltasThatDoNotFitNeedTheDocument) {
    Rows rows({}, {.on_conflict = OnConflict::dead_letter});
    rows.add(R"({"_id": 1, "a": 1})");
    EXPECT_TRUE(rows.add_delta(R"({"_id": 1})", R"({"updatedFields": {"a": 2}})"));
    EXPECT_FALSE(rows.add_delta(R"({"_id": 1})", R"({"updatedFields": {"a": "2"}})"));
    rows.add(R"({"_id": 1, "a": "2"})", Op::replace);
    EXPECT_FALSE(rows.add_delta(R"({"_id": 1})", R"({"updatedFields": {"a": 3}})"));
}

TEST(RowBuilder, KeysOfAnyTypeStayApart) {
    Rows rows;
    for (const auto* const id : {"1", R"("1")", "null", R"({"$numberDecimal": "1"})", R"({"a": 1})",
                                 R"({"$minKey": 1})", "1.0"})
        rows.add(std::string(R"({"_id": )") + id + "}");
    rows.add(R"({"_id": "1"})", Op::remove);
    EXPECT_EQ(rows.lines(),
              (Lines{"I _id=1", R"(I _id="1")", "I _id=null", R"(I _id={"$numberDecimal":"1"})",
                     R"(I _id={"a":1})", R"(I _id={"$minKey":1})", "I _id=1.0", R"(D _id="1")"}));
}

// By way of a double, 1 would have become 1.0 in the rows that are there.
TEST(RowBuilder, KeysAreWrittenAlikeWhateverTheirColumnWasBefore) {
    Rows rows;
    rows.add(R"({"_id": 1})").add(R"({"_id": {"$numberLong": "9007199254740993"}})");
    EXPECT_EQ(rows.columns(), Lines{"_id:long"});
    rows.add(R"({"_id": 2.5})");
    EXPECT_EQ(rows.columns(), Lines{"_id:mixed"});
    rows.add(R"({"_id": 1})", Op::remove).add(R"({"_id": 2.0})").add(R"({"_id": "x"})");
    EXPECT_EQ(rows.lines(), (Lines{"I _id=1", "I _id=9007199254740993", "I _id=2.5", "D _id=1",
                                   "I _id=2.0", R"(I _id="x")"}));
    Rows doubles;
    doubles.add(R"({"_id": 2.5})").add(R"({"_id": 1})");
    EXPECT_EQ(doubles.columns(), Lines{"_id:mixed"});
}

TEST(RowBuilder, WhatNoColumnMayHaveGoesAside) {
    Rows rows;
    rows.add(R"({"_id": 1, "Name": "a", "name": "b", "": 1, "_extra": 2, "_nulls": 3, "x.y": 4,
        "$z": 5})");
    EXPECT_EQ(rows.columns(),
              (Lines{"_id:int", "Name:string", "x.y:int", "$z:int", "_extra:mixed"}));
    EXPECT_EQ(rows.lines(), (Lines{R"(I _id=1 Name=a x.y=4 $z=5 )"
                                   R"(_extra={"name":"b","":1,"_extra":2,"_nulls":3})"}));
}

TEST(RowBuilder, SecondFieldOfANameGoesAside) {
    Rows rows;
    const auto one = document(R"({"_id": 1, "a": 1, "b": 2})");
    auto twice = one;
    twice[twice.rfind('b')] = 'a';
    rows.add_bytes(one).add_bytes(twice);
    EXPECT_EQ(rows.lines(), (Lines{"I _id=1 a=1 b=2", R"(I _id=1 a=1 b=- _extra={"a":2})"}));
    Rows fresh;
    fresh.add_bytes(twice);
    EXPECT_EQ(fresh.lines(), (Lines{R"(I _id=1 a=1 _extra={"a":2})"}));
}

TEST(RowBuilder, ColumnsAreBounded) {
    Rows rows({.columns_max = 4});
    rows.add(R"({"_id": 1, "a": 1, "b": 2, "c": 3})").add(R"({"_id": 2, "z": {"k": 1}})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "a:int", "_extra:mixed"}));
    EXPECT_EQ(rows.lines(), (Lines{R"(I _id=1 a=1 _extra={"b":2,"c":3})",
                                   R"(I _id=2 a=- _extra={"z":{"k":1}})"}));
}

TEST(RowBuilder, TextThatIsNotUtf8GoesAsideWhole) {
    Rows rows;
    rows.add(R"({"_id": 1, "a": "x"})");
    auto broken = document(R"({"_id": 2, "a": "xyz"})");
    broken[broken.find("xyz")] = '\xff';
    rows.add_bytes(broken);
    const auto line = rows.lines().at(1);
    EXPECT_TRUE(line.starts_with(R"(I _id=2 a=- _extra={"a":{"$binary":)")) << line;
}

TEST(RowBuilder, DatesOutsideOfAnyCalendarGoAside) {
    Rows rows;
    rows.add(R"({"_id": 1, "a": {"$date": {"$numberLong": "9223372036854775807"}}})")
        .add(R"({"_id": 2, "a": {"$date": {"$numberLong": "9223372036854774"}}})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "a:date", "_extra:mixed"}));
    EXPECT_EQ(rows.finish().back().rows->column(first_table_column + 1)->null_count(), 1);
}

TEST(RowBuilder, DeclaredColumnsAreThereFromTheBeginning) {
    Rows rows({.declared = {{orders, {{"coupon", Kind::text}, {"amount", Kind::numeric}}}}});
    rows.add(R"({"_id": 1, "amount": 1})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "amount:decimal", "coupon:string"}));
    EXPECT_EQ(rows.lines(), Lines{"I _id=1 amount=1 coupon=-"});
}

TEST(RowBuilder, ExcludedFieldsNeverLeave) {
    const RowRules rules{.excluded = {{orders, {"secret"}}}};
    Rows rows({}, rules);
    rows.add(R"({"_id": 1, "secret": "s", "a": 1})");
    EXPECT_EQ(rows.lines(), Lines{"I _id=1 a=1"});
    Rows whole({.mode = Mode::document}, rules);
    whole.add(R"({"_id": 1, "secret": "s", "a": 1})");
    EXPECT_EQ(whole.lines(), Lines{R"(I _id=1 document={"_id":1,"a":1})"});
}

TEST(RowBuilder, WholeDocumentsAsJson) {
    Rows rows({.mode = Mode::document});
    rows.add(R"({"_id": 1, "a": {"b": [1, 1.0, "1", null]}})").add(R"({"_id": 1})", Op::remove);
    EXPECT_EQ(rows.lines(), (Lines{R"(I _id=1 document={"_id":1,"a":{"b":[1,1.0,"1",null]}})",
                                   "D _id=1 document=-"}));
}

TEST(RowBuilder, WholeDocumentsNeedNoRoomForFields) {
    Rows rows({.mode = Mode::document, .columns_max = 2});
    rows.add(R"({"_id": 1, "a": 1})");
    EXPECT_EQ(rows.columns(), (Lines{"_id:int", "document:mixed"}));
}

TEST(RowBuilder, LongsStayInTheirColumnUnderVariant) {
    Rows rows({.always_extra = true}, {.on_conflict = OnConflict::variant});
    rows.add(R"({"_id": 1, "a": 1})")
        .add(R"({"_id": 2, "a": {"$numberLong": "9007199254740993"}})");
    EXPECT_EQ(rows.lines().back(), "I _id=2 a=9007199254740993 _extra=-");
}

TEST(RowBuilder, DeltasNameWhatChanged) {
    Rows rows;
    rows.add(R"({"_id": 1, "a": 1, "b": 2, "c": "x"})");
    EXPECT_TRUE(
        rows.add_delta(R"({"_id": 1})", R"({"updatedFields": {"a": 5}, "removedFields": ["c"]})"));
    EXPECT_TRUE(rows.add_delta(R"({"_id": 1})", R"({"updatedFields": {"d": 0.5, "b": null}})"));
    EXPECT_EQ(rows.lines(),
              (Lines{"I _id=1 a=1 b=2 c=x", "U _id=1 a=5 b=? c=-", "U _id=1 a=? b=- c=? d=0.5"}));
}

TEST(RowBuilder, DeltasThatNamePartsOfFieldsAreNone) {
    Rows rows;
    rows.add(R"({"_id": 1, "a": {"b": 1}})");
    EXPECT_FALSE(rows.add_delta(R"({"_id": 1})", R"({"updatedFields": {"a.b": 5}})"));
    EXPECT_FALSE(rows.add_delta(R"({"_id": 1})", R"({"removedFields": ["a.b"]})"));
    EXPECT_FALSE(rows.add_delta(
        R"({"_id": 1})",
        R"({"updatedFields": {}, "truncatedArrays": [{"field": "a", "newSize": 1}]})"));
    EXPECT_FALSE(rows.add_delta(R"({"_id": 1})", R"({"updatedFields": {"A": 1}})"));
    EXPECT_EQ(rows.lines(), Lines{R"(I _id=1 a={"b":1})"});
}

TEST(RowBuilder, WhatIsNoDocumentIsAnError) {
    Rows rows;
    EXPECT_FALSE(rows.builder().add({}, "nonsense"));
    EXPECT_FALSE(rows.builder().add({}, document(R"({"a": 1})")));
    auto cut = document(R"({"_id": 1, "a": "text"})");
    cut.resize(cut.size() - 3);
    EXPECT_FALSE(rows.builder().add({}, cut));
    rows.add(R"({"_id": 1})");
    EXPECT_EQ(rows.lines(), Lines{"I _id=1"});
}

TEST(RowBuilder, AnEmptiedTableIsOneRow) {
    Rows rows;
    EXPECT_TRUE(rows.builder().add_truncate({Op::truncate, 1, 0, 0}));
    EXPECT_EQ(rows.lines(), Lines{});
    rows.add(R"({"_id": 1})");
    EXPECT_TRUE(rows.builder().add_truncate({Op::truncate, 1, 1, 0}));
    EXPECT_EQ(rows.lines(), (Lines{"I _id=1", "T _id=-"}));
}

// Another thread, say one that reads an image, has found more meanwhile.
TEST(RowBuilder, ShapesAreShared) {
    Rows rows;
    rows.add(R"({"_id": 1})");
    RowBuilder other(orders, rows.book(), {});
    ASSERT_TRUE(other.add({}, document(R"({"_id": 2, "a": 1})")));
    rows.add(R"({"_id": 3, "b": 1})");
    EXPECT_EQ(rows.lines(), (Lines{"I _id=1", "I _id=3 a=- b=1"}));
    EXPECT_EQ(rows.book().find(orders)->schema()->version, 3U);
}

TEST(ShapeBook, IsTheSameAfterAStart) {
    Rows rows;
    rows.book().begin_table(orders);
    rows.book().begin_image(orders, 3);
    rows.add(R"({"_id": 1, "a": "x", "b": {"$numberDecimal": "1"}})");
    ASSERT_TRUE(rows.book().save());
    const auto again = ShapeBook::open(rows.folder().path() / "shapes", {});
    ASSERT_TRUE(again);
    const auto& was = *rows.book().find(orders)->schema();
    const auto& is = *(*again)->find(orders)->schema();
    EXPECT_TRUE(same_shape(was, is));
    EXPECT_EQ(is.version, was.version);
    EXPECT_EQ(is.generation, 3U);
    EXPECT_TRUE((*again)->is_current(orders));
}

TEST(ShapeBook, AnotherDefinitionBeginsAnewAndCountsOn) {
    Rows rows;
    rows.book().begin_table(orders);
    rows.add(R"({"_id": 1, "a": "x"})");
    ASSERT_TRUE(rows.book().save());
    const auto again = ShapeBook::open(rows.folder().path() / "shapes", {.mode = Mode::document});
    ASSERT_TRUE(again);
    EXPECT_FALSE((*again)->is_current(orders));
    (*again)->begin_table(orders);
    EXPECT_EQ((*again)->find(orders), nullptr);
    RowBuilder documents(orders, **again, {});
    ASSERT_TRUE(documents.add({}, document(R"({"_id": 1, "a": "x"})")));
    EXPECT_EQ((*again)->find(orders)->schema()->version, 2U);
    EXPECT_EQ((*again)->find(orders)->schema()->columns.size(), 2U);
}

TEST(ShapeBook, DamagedNoteIsRefused) {
    const fixture::Folder folder;
    std::FILE* const file = std::fopen((folder.path() / "shapes").c_str(), "w");
    std::fputs("half", file);
    std::fclose(file);
    const auto book = ShapeBook::open(folder.path() / "shapes", {});
    ASSERT_FALSE(book);
    EXPECT_EQ(book.error().code, Code::mongo_work_folder);
}

}  // namespace
}  // namespace leat::mongodb
