// Which tables a list of names, patterns and exclusions means.
#include "source/table_selection.hpp"

#include <gtest/gtest.h>

namespace leat {

namespace {

const std::vector<SelectableTable> plain = {{{"public", "audit"}},
                                            {{"public", "orders"}},
                                            {{"public", "orders_old"}},
                                            {{"sales", "orders"}},
                                            {{"sales", "visits"}}};
// visits has a partition that has one itself.
const std::vector<SelectableTable> partitioned = {
    {{"public", "visits"}},
    {{"public", "visits_1"}, {{"public", "visits"}}},
    {{"public", "visits_1a"}, {{"public", "visits_1"}, {"public", "visits"}}},
    {{"public", "other"}}};

auto terms() -> SelectionTerms {
    SelectionTerms terms;
    terms.parse = [](std::string_view text) -> TableName {
        const auto dot = text.find('.');
        if (dot == std::string_view::npos) return {"public", std::string(text)};
        return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
    };
    return terms;
}

// "schema.table", or what is wrong.
auto choose(const std::vector<std::string>& entries,
            const std::vector<SelectableTable>& there = plain) -> std::vector<std::string> {
    const auto selection = TableSelection::make(entries, terms());
    if (!selection) return {selection.error().what};
    const auto chosen = selection->choose(there);
    if (!chosen) return {chosen.error().what};
    std::vector<std::string> names;
    for (const auto& table : chosen->tables) names.push_back(to_string(table));
    return names;
}
using Names = std::vector<std::string>;

TEST(TableSelection, NamesStandAsTheyAreWritten) {
    EXPECT_EQ(choose({"sales.visits", "orders", "not_there"}),
              (Names{"sales.visits", "public.orders", "public.not_there"}));
}

TEST(TableSelection, StarsStayWithinTheirPart) {
    EXPECT_EQ(choose({"public.*"}), (Names{"public.audit", "public.orders", "public.orders_old"}));
    EXPECT_EQ(choose({"*.orders"}), (Names{"public.orders", "sales.orders"}));
    EXPECT_EQ(choose({"orders*"}), (Names{"public.orders", "public.orders_old"}));
    EXPECT_EQ(choose({"s*s.*i*s"}), Names{"sales.visits"});
    EXPECT_EQ(choose({"public.*rders"}), Names{"public.orders"});
    EXPECT_EQ(choose({"*.*"}).size(), plain.size());
}

TEST(TableSelection, ExclusionsWinWhereverTheyStand) {
    const Names rest{"public.orders", "public.orders_old"};
    EXPECT_EQ(choose({"public.*", "!public.audit"}), rest);
    EXPECT_EQ(choose({"!public.audit", "public.*"}), rest);
    EXPECT_EQ(choose({"!audit", "public.audit", "public.*"}), rest);
    EXPECT_EQ(choose({"*.*", "!public.*", "!*.v*"}), Names{"sales.orders"});
}

TEST(TableSelection, TableIsTakenOnce) {
    EXPECT_EQ(choose({"public.o*", "orders", "*.orders"}),
              (Names{"public.orders", "public.orders_old", "sales.orders"}));
}

TEST(TableSelection, PatternsTakePartitionedTablesAndNotTheirPartitions) {
    EXPECT_EQ(choose({"public.*"}, partitioned), (Names{"public.visits", "public.other"}));
    EXPECT_EQ(choose({"visits", "visits_*", "other"}, partitioned),
              (Names{"public.visits", "public.other"}));
    // Without their table they are tables like others, unless that was left out.
    EXPECT_EQ(choose({"visits_*"}, partitioned), Names{"public.visits_1"});
    EXPECT_EQ(choose({"visits_1a"}, partitioned), Names{"public.visits_1a"});
    EXPECT_EQ(choose({"public.*", "!visits"}, partitioned), Names{"public.other"});
    EXPECT_EQ(choose({"public.*", "!visits", "visits_1a"}, partitioned),
              (Names{"public.visits_1a", "public.other"}));
}

TEST(TableSelection, PartitionBesideItsTableIsRefused) {
    EXPECT_EQ(choose({"visits", "visits_1a"}, partitioned),
              Names{"source.tables has a partition beside its table: public.visits_1a and "
                    "public.visits"});
}

TEST(TableSelection, WhatMatchesNothingIsRefused) {
    EXPECT_EQ(choose({"hr.*"}), Names{"source.tables has an entry that matches no table: hr.*"});
    EXPECT_EQ(choose({"public.*", "!public.adit"}),
              Names{"source.tables has an entry that matches no table: !public.adit"});
    EXPECT_EQ(choose({"orders", "!*.orders"}), Names{"source.tables leaves no table"});
}

TEST(TableSelection, WhatIsNoListOfTablesIsRefused) {
    EXPECT_EQ(choose({"!audit"}), Names{"source.tables is empty"});
    EXPECT_EQ(choose({"orders", "public.orders"}),
              Names{"source.tables names a table twice: public.orders"});
    EXPECT_EQ(choose({"public."}), Names{"source.tables has an entry without a name: public."});
    EXPECT_EQ(choose({"!"}), Names{"source.tables has an entry without a name: !"});
}

}  // namespace

}  // namespace leat
