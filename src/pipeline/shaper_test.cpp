// What a sink is handed when rows are filtered, fail or do not fit, and what is counted.
#include "pipeline/shaper.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "change/batch_fixture.hpp"
#include "change/collapse_model.hpp"
#include "transform/sql/sql_transform.hpp"
#include "transform/sql/tree.hpp"

namespace leat {

namespace {

using fixture::BatchFixture;
using fixture::unsent;

const auto orders = fixture::keyed_table(
    "orders", {{"id", arrow::int64()}, {"amount", arrow::utf8()}, {"note", arrow::utf8()}});

// A sink that holds rows in memory and takes no note "misfit".
class ShaperTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("leat_shaper_" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder_);
        const auto engine = sql::Engine::make();
        ASSERT_TRUE(engine);
        engine_ = *engine;
    }
    void TearDown() override {
        shaper_.reset();
        std::filesystem::remove_all(folder_);
    }

    auto part(const std::string& name, const std::string& sql,
              std::vector<Expectation> expectations = {}) -> TransformPart {
        const SqlTransformOptions options{name, sql, std::move(expectations)};
        const auto made = SqlTransform::make(engine_, options);
        EXPECT_TRUE(made) << made.error().what;
        TransformPart part;
        part.name = name;
        part.input = (*made)->input();
        part.definition = sql;
        part.make = [engine = engine_, options]() -> Result<std::unique_ptr<Transform>> {
            return TRY(SqlTransform::make(engine, options));
        };
        return part;
    }
    auto start(std::vector<TransformPart> transforms, bool with_letters = true) -> void {
        shaper_.reset();
        ShaperParts parts;
        parts.transforms = std::move(transforms);
        parts.definitions = *Definitions::make(
            definitions_file(folder_, "s"), [](const std::string& a, const std::string& b) {
                return Result<bool>(sql::folded(a) == sql::folded(b));
            });
        if (with_letters) {
            auto letters = LetterBox::make(letter_file(folder_, "s"), "p", "s");
            ASSERT_TRUE(letters);
            parts.letters = *std::move(letters);
        }
        auto shaper = Shaper::make(std::move(parts));
        ASSERT_TRUE(shaper) << shaper.error().what;
        shaper_ = *std::move(shaper);
    }
    auto put(const Batch& batch) -> Result<Rejects> {
        Rejects rejects;
        const int note = batch.schema->column_index("note");
        for (std::int64_t row = 0; note >= 0 && row < batch.rows->num_rows(); ++row)
            if (model::value_text(*batch.rows->column(first_table_column + note), row) ==
                    "misfit" ||
                old_note(batch, note, row) == "misfit")
                rejects.push_back({row, "note", "does not fit"});
        if (rejects.empty()) model::apply_naive(batch, tables_[batch.schema->name.table]);
        return rejects;
    }
    static auto old_note(const Batch& batch, int note, std::int64_t row) -> std::string {
        const auto& before = *batch.rows->column(before_column);
        if (batch.schema->identity != RowIdentity::full_row ||
            before.type_id() == arrow::Type::NA || before.IsNull(row))
            return "";
        return model::value_text(*static_cast<const arrow::StructArray&>(before).field(note), row);
    }
    auto apply(const BatchFixture& rows) -> Result<std::int64_t> {
        const auto to_sink = [&](const Batch& batch) { return put(batch); };
        const auto rows_now = TRY(shaper_->apply(rows.build(), 1, to_sink));
        return rows_now + TRY(shaper_->flush(to_sink));
    }
    auto apply_well(const BatchFixture& rows) -> void {
        const auto done = apply(rows);
        ASSERT_TRUE(done) << done.error().what;
        ASSERT_TRUE(shaper_->before_commit());
        for (const auto& [table, flow] : shaper_->take_counts()) add(flow, counts_[table]);
        for (const auto& [table, flow] : counts_) EXPECT_EQ(flow.rows_in, accounted(flow)) << table;
    }
    static auto accounted(const FlowCounts& flow) -> std::int64_t {
        auto sum = flow.applied + flow.filtered;
        for (const auto& [reason, count] : flow.dead_letters) sum += count;
        for (const auto& [reason, count] : flow.passed_over) sum += count;
        return sum;
    }
    auto shown(const std::string& table) -> std::string {
        std::string text;
        for (const auto& [key, row] : tables_[table].by_key) {
            for (const auto& value : row) text += value + " ";
            text += "\n";
        }
        EXPECT_EQ(tables_[table].incomplete, 0);
        return text;
    }
    auto letters() -> std::string {
        std::string text;
        const auto found = read_letters(letter_file(folder_, "s"), {});
        EXPECT_TRUE(found);
        for (const auto& each : *found)
            text += each.letter.key + " " + std::string(to_string(each.letter.reason)) +
                    (each.superseded.empty() ? " open" : " superseded") + "\n";
        return text;
    }

    std::filesystem::path folder_;
    std::shared_ptr<sql::Engine> engine_;
    std::unique_ptr<Shaper> shaper_;
    std::map<std::string, model::Table> tables_;
    std::map<std::string, FlowCounts> counts_;
    int puts_ = 0;
    std::vector<std::size_t> shapes_;
};

TEST_F(ShaperTest, ATransformOfAnotherNameStandsBesideItsInput) {
    start({part("big", "SELECT id, amount FROM orders WHERE amount > '5'")});
    apply_well(BatchFixture(orders).insert({1, "9", "a"}).insert({2, "3", "b"}));
    EXPECT_EQ(shown("orders"), "=1 =9 =a \n=2 =3 =b \n");
    EXPECT_EQ(shown("big"), "=1 =9 \n");
    EXPECT_EQ(counts_.at("big").filtered, 1);
}

TEST_F(ShaperTest, ChainsReadTheTransformAndNotTheTable) {
    start({part("orders", "SELECT id, amount::INTEGER AS amount FROM orders"),
           part("doubled", "SELECT id, amount * 2 AS twice FROM orders")});
    apply_well(BatchFixture(orders).insert({1, "9", "a"}).move({1}, {2, "4", "a"}));
    EXPECT_EQ(shown("orders"), "=2 =4 \n");
    EXPECT_EQ(shown("doubled"), "=2 =8 \n");
}

TEST_F(ShaperTest, ABadUpdateKeepsTheLastGoodRow) {
    start({part("orders", "SELECT id, amount::INTEGER AS amount, note FROM orders")});
    apply_well(BatchFixture(orders, 1).insert({1, "9", "a"}));
    apply_well(BatchFixture(orders, 2).update({1, "x", "b"}));
    EXPECT_EQ(shown("orders"), "=1 =9 =a \n");
    EXPECT_EQ(letters(), "[\"1\"] expression_failed open\n");
    apply_well(BatchFixture(orders, 3).update({1, "3", unsent}));
    EXPECT_EQ(shown("orders"), "=1 =9 =a \n");
    EXPECT_EQ(letters(), "[\"1\"] expression_failed open\n[\"1\"] incomplete_row open\n");
    apply_well(BatchFixture(orders, 4).update({1, "5", "c"}));
    EXPECT_EQ(shown("orders"), "=1 =5 =c \n");
    EXPECT_EQ(letters(), "[\"1\"] expression_failed superseded\n[\"1\"] incomplete_row superseded\n");
    EXPECT_EQ(counts_.at("orders").rows_in, 4);
    EXPECT_EQ(counts_.at("orders").applied, 2);
}

TEST_F(ShaperTest, ABadUpdateDeletesTheRowIfSoAsked) {
    auto strict = part("orders", "SELECT id, amount::INTEGER AS amount FROM orders");
    strict.on_bad_update = OnBadUpdate::remove;
    start({strict});
    apply_well(BatchFixture(orders).insert({1, "9", "a"}).update({1, "x", "b"}));
    EXPECT_EQ(shown("orders"), "");
    EXPECT_EQ(letters(), "[\"1\"] expression_failed open\n");
    apply_well(BatchFixture(orders, 2).update({1, "y", "b"}));
    EXPECT_EQ(letters(), "[\"1\"] expression_failed superseded\n"
                         "[\"1\"] expression_failed open\n");
}

TEST_F(ShaperTest, ARejectedKeyChangeTakesTheLastGoodRowAlong) {
    start({part("orders", "SELECT id, amount::INTEGER AS amount FROM orders")});
    apply_well(BatchFixture(orders, 1).insert({1, "9", "a"}));
    apply_well(BatchFixture(orders, 2).move({1}, {2, "x", "a"}).move({2}, {3, "y", "a"}));
    EXPECT_EQ(shown("orders"), "=3 =9 \n");
    EXPECT_EQ(letters(), "[\"2\"] expression_failed superseded\n[\"3\"] expression_failed open\n");
    apply_well(BatchFixture(orders, 3).remove({3}));
    EXPECT_EQ(shown("orders"), "");
    EXPECT_EQ(letters(),
              "[\"2\"] expression_failed superseded\n[\"3\"] expression_failed superseded\n");
}

TEST_F(ShaperTest, ARejectedKeyChangeTakesTheLastGoodRowAlongBehindAFilter) {
    start({part("orders", "SELECT id, amount::INTEGER AS amount FROM orders WHERE note <> 'no'")});
    apply_well(BatchFixture(orders, 1).insert({1, "9", "a"}).insert({5, "8", "no"}));
    apply_well(BatchFixture(orders, 2).move({1}, {2, "x", "a"}).move({5}, {6, "y", "a"}));
    EXPECT_EQ(shown("orders"), "=2 =9 \n");
    apply_well(BatchFixture(orders, 3).move({2}, {3, "z", "a"}).move({6}, {7, "z", "a"}));
    EXPECT_EQ(shown("orders"), "=3 =9 \n");
    apply_well(BatchFixture(orders, 4).update({3, "4", "a"}).update({7, "5", "a"}));
    EXPECT_EQ(shown("orders"), "=3 =4 \n=7 =5 \n");
}

TEST_F(ShaperTest, ARejectedKeyChangeOfARowThatNeverCameLeavesNothing) {
    start({part("orders", "SELECT id, amount::INTEGER AS amount FROM orders")});
    apply_well(BatchFixture(orders, 1).insert({1, "x", "a"}));
    apply_well(BatchFixture(orders, 2).move({1}, {2, "y", "a"}));
    EXPECT_EQ(shown("orders"), "");
    apply_well(BatchFixture(orders, 3).update({2, "7", "a"}));
    EXPECT_EQ(shown("orders"), "=2 =7 \n");
}

TEST_F(ShaperTest, WhatDoesNotFitTheSinkIsALetterToo) {
    start({});
    apply_well(BatchFixture(orders, 1)
                   .insert({1, "1", "good"})
                   .update({1, "2", "misfit"})
                   .update({1, "3", unsent})
                   .insert({2, "1", "good"}));
    EXPECT_EQ(shown("orders"), "=1 =1 =good \n=2 =1 =good \n");
    EXPECT_EQ(letters(), "[\"1\"] does_not_fit_target open\n[\"1\"] incomplete_row open\n");
    EXPECT_EQ(counts_.at("orders").applied, 2);
}

// As a source tells them under MongoDB's on_conflict: dead_letter.
auto orders_with_misfits() -> SchemaPtr {
    auto table = std::make_shared<TableSchema>(*fixture::keyed_table(
        "orders", {{"_misfits", arrow::utf8()}, {"id", arrow::int64()}, {"amount", arrow::utf8()}}));
    table->columns[0].logical_type = misfits_type;
    table->key = {1};
    return table;
}

TEST_F(ShaperTest, WhatTheSourceFindsUnfitIsALetterAndSinksNeverSeeItsColumn) {
    const auto table = orders_with_misfits();
    for (const auto& transforms :
         {std::vector<TransformPart>(), {part("orders", "SELECT * FROM orders")}}) {
        tables_.clear();
        counts_.clear();
        start(transforms);
        apply_well(BatchFixture(table, 1)
                       .insert({nullptr, 1, "1"})
                       .insert({R"({"amount":"x"})", 2, nullptr})
                       .update({R"({"amount":"y"})", 1, nullptr}));
        EXPECT_EQ(shown("orders"), "=1 =1 \n");
        EXPECT_EQ(letters(), "[\"2\"] does_not_fit_column open\n[\"1\"] does_not_fit_column open\n");
        apply_well(BatchFixture(table, 2).update({nullptr, 1, "3"}).remove({2}));
        EXPECT_EQ(shown("orders"), "=1 =3 \n");
        EXPECT_EQ(letters(), "[\"2\"] does_not_fit_column superseded\n"
                             "[\"1\"] does_not_fit_column superseded\n");
        shaper_.reset();
        std::filesystem::remove_all(folder_);
    }
}

TEST_F(ShaperTest, WithoutLettersARejectStopsTheLane) {
    start({}, false);
    const auto done = apply(BatchFixture(orders).insert({1, "1", "misfit"}));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().fault, Fault::poison);
    EXPECT_EQ(done.error().what.find("misfit"), std::string::npos);
}

// Batches of several commits come to one run of the SQL; what a row is, its commit says.
TEST_F(ShaperTest, GatheredBatchesAreWhatTheyWereAlone) {
    start({part("orders", "SELECT id, amount::INTEGER AS amount, note FROM orders "
                          "WHERE note <> 'hidden'")});
    const auto to_sink = [&](const Batch& batch) {
        ++puts_;
        return put(batch);
    };
    const auto hold = [&](const BatchFixture& rows) {
        const auto done = shaper_->apply(rows.build(), 1, to_sink);
        ASSERT_TRUE(done) << done.error().what;
        EXPECT_EQ(*done, 0);
    };
    EXPECT_FALSE(shaper_->holds_rows());
    hold(BatchFixture(orders, 1).insert({1, "9", "a"}).insert({2, "8", "hidden"}));
    hold(BatchFixture(orders, 2).insert({3, "x", "a"}).insert({4, "7", "a"}));
    hold(BatchFixture(orders, 3).insert({5, "y", "misfit"}).update({1, "6", "misfit"}));
    EXPECT_TRUE(shaper_->holds_rows());
    EXPECT_EQ(puts_, 0);
    ASSERT_TRUE(shaper_->flush(to_sink));
    ASSERT_TRUE(shaper_->before_commit());
    EXPECT_FALSE(shaper_->holds_rows());
    EXPECT_EQ(puts_, 2);  // the second time without what the sink did not take
    EXPECT_EQ(shown("orders"), "=1 =9 =a \n=4 =7 =a \n");
    EXPECT_EQ(letters(), "[\"3\"] expression_failed open\n[\"5\"] expression_failed open\n"
                         "[\"1\"] does_not_fit_target open\n");
    const auto flow = shaper_->take_counts().at("orders");
    EXPECT_EQ(flow.rows_in, 6);
    EXPECT_EQ(accounted(flow), 6);
}

TEST_F(ShaperTest, AnotherSchemaEndsTheGathering) {
    start({part("orders", "SELECT * FROM orders WHERE id > 1")});
    auto wider = std::make_shared<TableSchema>(*orders);
    wider->version = 2;
    wider->columns.push_back({"more", arrow::int64(), "", true, 4, nullptr});
    const auto to_sink = [&](const Batch& batch) {
        shapes_.push_back(batch.schema->columns.size());
        return put(batch);
    };
    const auto before = BatchFixture(orders, 1).insert({1, "9", "a"}).insert({2, "9", "a"}).build();
    ASSERT_TRUE(shaper_->apply(before, 1, to_sink));
    const auto after = BatchFixture(wider, 2).insert({3, "8", "a", 5}).build();
    const auto handed = shaper_->apply(after, 1, to_sink);
    ASSERT_TRUE(handed);
    EXPECT_EQ(*handed, 1);
    ASSERT_TRUE(shaper_->flush(to_sink));
    EXPECT_EQ(shapes_, (std::vector<std::size_t>{3, 4}));
}

// The letters of an epoch that was not committed are there; the replay must decide the same.
TEST_F(ShaperTest, AReplayDecidesAsTheFirstTimeDid) {
    const auto sql = [&] {
        return part("orders", "SELECT id, amount::INTEGER AS amount, note FROM orders");
    };
    const std::vector<BatchFixture> history = {
        BatchFixture(orders, 1).insert({1, "9", "a"}),
        BatchFixture(orders, 2).update({1, "8", unsent}),
        BatchFixture(orders, 3).update({1, "x", "b"}),
        BatchFixture(orders, 4).move({1}, {2, "7", unsent}),
        BatchFixture(orders, 5).update({2, "6", "c"}),
        BatchFixture(orders, 6).update({2, "5", unsent})};
    start({sql()});
    for (const auto& rows : history) apply_well(rows);
    const auto table = shown("orders");
    const auto box = letters();
    EXPECT_EQ(table, "=2 =5 =c \n");
    for (std::size_t from = 0; from < history.size(); ++from) {
        start({sql()});
        tables_.clear();
        for (std::size_t i = 0; i < from; ++i) apply_well(history[i]);
        start({sql()});
        for (std::size_t i = from; i < history.size(); ++i) apply_well(history[i]);
        EXPECT_EQ(shown("orders"), table);
        EXPECT_EQ(letters(), box);
    }
}

TEST_F(ShaperTest, TooManyRejectsStopBeforeTheCommit) {
    start({part("orders", "SELECT id, amount::INTEGER AS amount FROM orders")});
    BatchFixture rows(orders);
    for (int id = 0; id < 100; ++id) rows.insert({id, id < 51 ? "x" : "1", "a"});
    const auto done = apply(rows);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what.find("51 of 100 rows"), std::string::npos);
    shaper_.reset();
    EXPECT_EQ(letters(), "");
}

TEST_F(ShaperTest, TablesThatWouldComeOtherwiseThanBeforeAreNotCurrent) {
    const TableName source{"public", "orders"};
    Incarnation held = 1;
    const auto starts = [&](std::vector<TransformPart> parts, bool sink_is_empty = false) {
        start(std::move(parts));
        EXPECT_TRUE(shaper_->begin(sink_is_empty));
    };
    const auto is_current = [&] { return *shaper_->is_current(source, held); };
    const auto some = "SELECT id, amount FROM orders";
    starts({part("some", some)}, true);
    EXPECT_FALSE(is_current());
    EXPECT_TRUE(shaper_->note_current({source}, held));
    EXPECT_TRUE(is_current());
    starts({part("some", "select id, amount from orders")});
    EXPECT_TRUE(is_current());
    starts({part("some", "SELECT id, note FROM orders")});
    EXPECT_FALSE(is_current());
    starts({part("some", some), part("more", "SELECT id FROM orders")});
    EXPECT_FALSE(is_current());
    starts({part("orders", "SELECT id FROM orders")});
    EXPECT_FALSE(is_current());
    // `some` was not fed by that: as if it were new.
    starts({part("some", some)});
    EXPECT_FALSE(is_current());
    EXPECT_TRUE(shaper_->note_current({source}, held));
    EXPECT_TRUE(is_current());
    // A copy of the sink from before that.
    held = 0;
    EXPECT_FALSE(is_current());
    held = 1;
    starts({part("some", some)}, true);
    EXPECT_FALSE(is_current());
}

TEST_F(ShaperTest, NamesAreRefused) {
    const auto told = [](std::vector<RouteStep> steps) {
        const auto routes = make_routes(steps);
        return routes ? std::string() : routes.error().what;
    };
    EXPECT_EQ(told({{"a", "t"}, {"A", "t"}}), "two transforms are called A");
    EXPECT_EQ(told({{"a", "b"}, {"b", "a"}}),
              "transforms go round in a circle: a reads itself by way of b");
    EXPECT_EQ(told({{"on", "a"}, {"a", "b"}, {"b", "a"}}),
              "transforms go round in a circle: a reads itself by way of b");
    EXPECT_EQ(told({{"a", "a"}, {"b", "a"}}), "");
    start({part("customers", "SELECT * FROM orders")});
    const auto customers = fixture::keyed_table("customers", {{"id", arrow::int64()}});
    EXPECT_FALSE(apply(BatchFixture(customers).insert({1})));
}

TEST_F(ShaperTest, OfATableWithoutAKeyTheSinkHoldsTheRowsThatFit) {
    const auto bag = fixture::full_row_table(
        "bag", {{"id", arrow::int64()}, {"note", arrow::utf8()}});
    start({});
    apply_well(BatchFixture(bag, 1)
                   .insert({1, "fine"})
                   .insert({2, "misfit"})
                   .insert({3, "misfit"})
                   .move({1, "fine"}, {1, "misfit"})
                   .move({2, "misfit"}, {2, "fine"})
                   .move({3, "misfit"}, {4, "misfit"}));
    apply_well(BatchFixture(bag, 2).remove({1, "misfit"}).insert({5, "fine"}).remove({5, "fine"}));
    EXPECT_EQ(tables_["bag"].bag, (std::map<model::Row, std::int64_t>{{{"=2", "=fine"}, 1}}));
    EXPECT_EQ(counts_["bag"].dead_letters["does_not_fit_target"], 4);
    EXPECT_EQ(counts_["bag"].passed_over["old_row_rejected"], 1);
    EXPECT_EQ(counts_["bag"].applied, 4);
}

}  // namespace

}  // namespace leat
