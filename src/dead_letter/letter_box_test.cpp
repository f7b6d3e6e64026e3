// Letters on disk: repeats, what is open at which position, epochs that are abandoned.
#include "dead_letter/letter_box.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change/batch_fixture.hpp"

namespace leat {

namespace {

class Letters : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("leat_letters_" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] auto file() const -> std::filesystem::path { return letter_file(folder_, "s"); }
    auto box() -> std::unique_ptr<LetterBox> {
        auto made = LetterBox::make(file(), "p", "s");
        EXPECT_TRUE(made) << made.error().what;
        return *std::move(made);
    }
    static auto at(std::uint64_t commit) -> Position { return {1, commit, 0, ""}; }
    static auto letter(std::uint64_t commit, std::string key, bool has_base = false) -> Letter {
        const auto table = fixture::keyed_table("t", {{"id", arrow::int64()}, {"a", arrow::utf8()}});
        const auto batch = fixture::BatchFixture(table, commit).insert({1, "x"}).build();
        Letter made;
        made.target = "t";
        made.source = table->name;
        made.position = at(commit);
        made.rule = "r";
        made.key = std::move(key);
        made.has_base = has_base;
        auto row = encode_row(batch, 0);
        EXPECT_TRUE(row);
        made.row = *row;
        return made;
    }
    auto stored(LetterFilter filter = {}) -> std::vector<StoredLetter> {
        auto letters = read_letters(file(), filter);
        EXPECT_TRUE(letters) << letters.error().what;
        return *std::move(letters);
    }

    std::filesystem::path folder_;
};

TEST_F(Letters, NoFileUntilThereIsOne) {
    const auto empty = box();
    EXPECT_FALSE(empty->knows("t"));
    ASSERT_TRUE(empty->supersede("t", "[\"1\"]", at(1), true));
    ASSERT_TRUE(empty->sync());
    EXPECT_FALSE(std::filesystem::exists(file()));
    EXPECT_TRUE(stored().empty());
}

TEST_F(Letters, ARepeatIsHarmless) {
    for (int run = 0; run < 2; ++run) {
        const auto letters = box();
        ASSERT_TRUE(letters->add(letter(5, "[\"1\"]")));
        ASSERT_TRUE(letters->sync());
    }
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(*row_as_json(stored()[0].letter.row), R"({"id":"1","a":"x"})");
    EXPECT_EQ(stored()[0].id, "p:s:t:0000000001/00000000000000000005/00000000000000000000:r");
}

TEST_F(Letters, WhatWasNotSyncedIsForgotten) {
    ASSERT_TRUE(box()->add(letter(5, "[\"1\"]")));
    EXPECT_FALSE(box()->knows("t"));
    EXPECT_TRUE(stored().empty());
}

TEST_F(Letters, SyncedLettersOutliveTheProcess) {
    const auto child = ::fork();
    if (child == 0) {
        const auto letters = box();
        const bool good = letters->add(letter(5, "[\"1\"]")) && letters->sync() &&
                          letters->add(letter(6, "[\"2\"]"));
        static_cast<void>(good);
        ::_exit(0);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_TRUE(box()->knows("t"));
}

// A replay from before must decide as the first time did.
TEST_F(Letters, OpenIsAnsweredAsOfAPosition) {
    const auto letters = box();
    ASSERT_TRUE(letters->add(letter(5, "[\"1\"]", true)));
    ASSERT_TRUE(letters->supersede("t", "[\"1\"]", at(9), true));
    const auto open = [&](std::uint64_t commit) {
        const auto found = letters->open_before("t", "[\"1\"]", at(commit));
        EXPECT_TRUE(found);
        return found->has_value();
    };
    EXPECT_FALSE(open(5));
    EXPECT_TRUE(open(6));
    EXPECT_TRUE(open(9));
    EXPECT_FALSE(open(10));
    EXPECT_TRUE((*letters->open_before("t", "[\"1\"]", at(6)))->has_base);
    EXPECT_FALSE(letters->open_before("t", "[\"2\"]", at(6))->has_value());
    ASSERT_TRUE(letters->add(letter(5, "[\"1\"]", true)));
    EXPECT_FALSE(open(10));
}

TEST_F(Letters, OpenOnesAreCountedByTable) {
    EXPECT_TRUE(count_open_letters(file())->by_target.empty());
    const auto letters = box();
    std::uint64_t at_commit = 5;
    for (const auto* key : {"[\"1\"]", "[\"2\"]", "[\"3\"]"})
        ASSERT_TRUE(letters->add(letter(at_commit++, key)));
    ASSERT_TRUE(letters->sync());
    EXPECT_EQ(count_open_letters(file())->by_target.at("t"), 3);
    ASSERT_TRUE(letters->supersede("t", "[\"2\"]", at(9), true));
    ASSERT_TRUE(letters->sync());
    EXPECT_EQ(count_open_letters(file())->by_target.at("t"), 2);
    ASSERT_TRUE(letters->supersede("t", "", at(10), true));
    ASSERT_TRUE(letters->sync());
    EXPECT_TRUE(count_open_letters(file())->by_target.empty());
}

TEST_F(Letters, OpenOnesHaveReasonsAndAnAge) {
    const auto letters = box();
    std::int64_t time_us = 900;
    std::uint64_t commit = 5;
    for (const auto reason : {RejectReason::incomplete_row, RejectReason::does_not_fit_target,
                              RejectReason::incomplete_row}) {
        auto one = letter(commit, "[\"" + std::to_string(commit) + "\"]");
        one.reason = reason;
        one.commit_time_us = time_us;
        ASSERT_TRUE(letters->add(one));
        ++commit;
        time_us -= 100;
    }
    ASSERT_TRUE(letters->sync());
    const std::map<std::string, std::int64_t> both = {{"does_not_fit_target", 1},
                                                      {"incomplete_row", 2}};
    EXPECT_EQ(count_open_letters(file())->by_reason, both);
    EXPECT_EQ(count_open_letters(file())->oldest_us, 700);
    ASSERT_TRUE(letters->supersede("t", "[\"7\"]", at(9), true));
    ASSERT_TRUE(letters->sync());
    EXPECT_EQ(count_open_letters(file())->by_reason.at("incomplete_row"), 1);
    EXPECT_EQ(count_open_letters(file())->oldest_us, 800);
}

TEST_F(Letters, ARowThatGoesOnItsWayNowSupersedesItsOwnLetter) {
    const auto letters = box();
    ASSERT_TRUE(letters->add(letter(5, "[\"1\"]")));
    ASSERT_TRUE(letters->supersede("t", "[\"1\"]", at(5), true));
    EXPECT_FALSE(letters->open_before("t", "[\"1\"]", at(6))->has_value());
    ASSERT_TRUE(letters->add(letter(5, "[\"1\"]")));
    EXPECT_TRUE(letters->open_before("t", "[\"1\"]", at(6))->has_value());
}

TEST_F(Letters, FiltersByTableRuleKeyAndState) {
    const auto letters = box();
    ASSERT_TRUE(letters->add(letter(5, "[\"1\"]")));
    auto other = letter(6, "[\"2\",\"it's\"]");
    other.target = "u";
    other.rule = "q";
    other.commit_time_us = 7;
    ASSERT_TRUE(letters->add(other));
    ASSERT_TRUE(letters->supersede("u", "", at(8), true));
    ASSERT_TRUE(letters->sync());
    EXPECT_EQ(stored({.table = "u"}).size(), 1U);
    EXPECT_EQ(stored({.rule = "r"}).size(), 1U);
    EXPECT_EQ(stored({.key = "it's"}).size(), 1U);
    EXPECT_EQ(stored({.key = "it"}).size(), 0U);
    EXPECT_EQ(stored({.from_us = 1}).size(), 1U);
    EXPECT_EQ(stored({.until_us = 6}).size(), 1U);
    EXPECT_EQ(stored({.open_only = true}).size(), 1U);
}

}  // namespace

}  // namespace leat
