// Spill files: what is written in blocks comes back in order, and nothing stays behind.
#include "source/postgres/spill.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace leat::postgres {

namespace {

class SpillTest : public testing::Test {
protected:
    SpillTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "leat-spill-XXXXXX";
        folder_ = mkdtemp(pattern.data());
    }
    ~SpillTest() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path folder_;
};

TEST_F(SpillTest, MessagesComeBackInOrderWhateverTheirSize) {
    const auto path = spill_path(folder_, 7);
    {
        SpillFile file(path);
        const auto message = [](int i) {
            const std::size_t size = i % 50 == 0 ? 3'000'000 : static_cast<std::size_t>(i);
            return std::string(size, static_cast<char>('a' + i % 26));
        };
        constexpr int messages = 300;
        for (int i = 0; i < messages; ++i) {
            ASSERT_TRUE(file.append(message(i)).has_value());
            if (i % 7 == 0) {
                ASSERT_TRUE(file.pause().has_value());
            }
        }
        ASSERT_TRUE(file.pause().has_value());
        for (int i = 0; i < messages; ++i) {
            const auto read = file.next();
            ASSERT_TRUE(read.has_value());
            ASSERT_TRUE(read->has_value());
            ASSERT_EQ(**read, message(i));
        }
        EXPECT_FALSE(file.next().value().has_value());
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SpillTest, CutFileIsAnError) {
    const auto path = spill_path(folder_, 7);
    SpillFile file(path);
    ASSERT_TRUE(file.append("whole").has_value());
    ASSERT_TRUE(file.append("in two").has_value());
    ASSERT_TRUE(file.pause().has_value());
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    EXPECT_EQ(**file.next(), "whole");
    EXPECT_EQ(file.next().error().fault, Fault::retry);
}

TEST_F(SpillTest, FullOrMissingFolderIsAnError) {
    SpillFile file(folder_ / "missing" / "spill-1");
    ASSERT_TRUE(file.append("x").has_value());
    EXPECT_EQ(file.pause().error().fault, Fault::retry);
}

TEST_F(SpillTest, LeftoversAreRemovedAndNothingElse) {
    std::ofstream(spill_path(folder_, 1)) << "old";
    std::ofstream(folder_ / "text_columns") << "public.t.c\n";
    ASSERT_TRUE(remove_spill_files(folder_).has_value());
    EXPECT_FALSE(std::filesystem::exists(spill_path(folder_, 1)));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "text_columns"));
    EXPECT_FALSE(remove_spill_files(folder_ / "missing").has_value());
}

TEST_F(SpillTest, RemembersAbortedSubtransactions) {
    SpillFile file(spill_path(folder_, 1));
    file.abort_subtransaction(5);
    EXPECT_TRUE(file.is_aborted(5));
    EXPECT_FALSE(file.is_aborted(6));
}

}  // namespace

}  // namespace leat::postgres
