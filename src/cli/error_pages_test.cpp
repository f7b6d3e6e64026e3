// Tests of the codes and their pages: names, completeness of each page, how a code is found.
#include <gtest/gtest.h>

#include <set>

#include "cli/error_pages.hpp"

namespace leat::cli {
namespace {

TEST(Codes, AreNamedByAreaAndNeverTwice) {
    std::set<std::string> names;
    for (const auto code : all_codes) {
        const auto name = to_string(code);
        EXPECT_NE(name.find('-'), std::string::npos) << name;
        EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-"), std::string::npos) << name;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
    EXPECT_EQ(to_string(Code::pg_slot_lost), "PG-SLOT-LOST");
    EXPECT_EQ(to_string(Code::none), "");
}

TEST(Pages, SayAllThatTheyMust) {
    for (const auto& page : error_pages()) {
        const auto name = to_string(page.code);
        EXPECT_FALSE(page.title.empty()) << name;
        EXPECT_LE(page.title.size(), 60U) << name;
        EXPECT_TRUE(page.meaning.ends_with('.') || page.meaning.ends_with(')')) << name;
        EXPECT_TRUE(page.data.ends_with('.')) << name;
        EXPECT_FALSE(steps_of(page).empty()) << name;
        for (const auto& step : steps_of(page)) EXPECT_GT(step.size(), 10U) << name;
    }
}

// A page that sends the reader to another one sends him to one that exists.
TEST(Pages, ReferToPages) {
    for (const auto& page : error_pages())
        for (const auto& step : steps_of(page)) {
            const std::string_view phrase = "leat explain ";
            const auto at = step.find(phrase);
            if (at == std::string::npos) continue;
            const auto rest = step.substr(at + phrase.size());
            const auto code = rest.substr(0, rest.find_first_of(" ,.)`"));
            EXPECT_NE(find_page(code), nullptr) << to_string(page.code) << ": " << code;
        }
}

TEST(Pages, AreFoundInAnyCase) {
    ASSERT_NE(find_page("PG-SLOT-LOST"), nullptr);
    EXPECT_EQ(find_page("pg-slot-lost"), find_page("PG-SLOT-LOST"));
    EXPECT_EQ(find_page("PG_SLOT_LOST"), find_page("PG-SLOT-LOST"));
    EXPECT_EQ(find_page(""), nullptr);
    EXPECT_EQ(find_page("PG-SLOT"), nullptr);
}

TEST(Pages, NearestOfAMistypedCode) {
    EXPECT_EQ(nearest_codes("PG-SLOT-LOOST").front(), "PG-SLOT-LOST");
    EXPECT_EQ(nearest_codes("wal-level").front(), "PG-WAL-LEVEL");
    EXPECT_FALSE(nearest_codes("").empty());
    EXPECT_FALSE(nearest_codes(std::string(5000, 'x')).empty());
}

TEST(Pages, StepsEndWithTheLastWayOut) {
    const auto lost = steps_of(*find_page("PG-SLOT-LOST"));
    EXPECT_TRUE(lost.back().starts_with("Set `on_gap: resnapshot`")) << lost.back();
    const auto damaged = steps_of(*find_page("LOG-DAMAGED"));
    EXPECT_TRUE(damaged.back().starts_with("To start anew: ")) << damaged.back();
    const auto uri = steps_of(*find_page("PG-URI"));
    EXPECT_EQ(uri.size(), 3U);
    EXPECT_FALSE(uri.back().starts_with("To start anew: "));
}

}  // namespace
}  // namespace leat::cli
