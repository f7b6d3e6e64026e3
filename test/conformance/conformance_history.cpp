// Random histories in random epochs, with sinks that are dropped and reopened on the way, against
// the model that applies them row by row.
#include <map>
#include <random>

#include "change/collapse_model.hpp"
#include "change/history_fixture.hpp"
#include "conformance/sink_conformance.hpp"

namespace leat::conformance {

namespace {

using fixture::BatchFixture;

auto line_of(const model::Row& row) -> std::string {
    std::string line;
    for (const auto& value : row) {
        line += &value == &row.front() ? "" : "|";
        line += value == "NULL" ? "∅" : value == "=-0" ? "0" : value.substr(1);
    }
    return line;
}

auto lines_of(const model::Table& table) -> Lines {
    Lines lines;
    for (const auto& [key, row] : table.by_key) lines.push_back(line_of(row));
    for (const auto& [row, count] : table.bag)
        lines.insert(lines.end(), static_cast<std::size_t>(count), line_of(row));
    std::sort(lines.begin(), lines.end());
    return lines;
}

// The queue: one long batch per table; an epoch takes a piece of each.
class History {
public:
    History(std::uint64_t seed, int changes) : random_(seed) {
        fixture::Picks picks;
        for (int i = 0; i < 12 * changes; ++i)
            picks.push_back(static_cast<std::uint32_t>(random_() % 1'000'000));
        fixture::Dice dice(std::move(picks));
        int number = 0;
        const auto kinds = fixture::key_kinds();
        // Keys of one integer, of two columns, and floating point with NaN.
        for (const auto index : {0U, 3U, 5U}) {
            const auto& kind = kinds[index];
            auto schema = std::make_shared<TableSchema>(*kind.schema);
            schema->name.table = "keyed_" + std::to_string(number++);
            fixture::KeySource source(kind, dice, fixture::PartialRows::with_base_only);
            BatchFixture rows(schema);
            for (int i = 0; i < changes; ++i) source.change(rows);
            queue_.push_back(rows.build());
        }
        BatchFixture rows(fixture::full_row_table("bag", fixture::value_columns()));
        fixture::BagSource source(dice);
        for (int i = 0; i < changes; ++i) source.change(rows);
        queue_.push_back(rows.build());
    }

    auto roll(std::uint64_t sides) -> std::uint64_t { return random_() % sides; }
    auto size() const -> std::uint64_t {
        return static_cast<std::uint64_t>(queue_.front().rows->num_rows());
    }

    // Changes [from, to) of every table, in batches of random lengths.
    auto write(Session& sink, std::uint64_t from, std::uint64_t to) -> void {
        for (const auto& all : queue_)
            for (auto at = from; at < to;) {
                const auto length = 1 + roll(to - at);
                EXPECT_TRUE(sink.write(piece(all, at, length)).empty());
                at += length;
            }
    }

    auto expected_at(std::uint64_t to) const -> std::map<std::string, Lines> {
        std::map<std::string, Lines> expected;
        for (const auto& all : queue_) {
            model::Table table;
            model::apply_naive(piece(all, 0, to), table);
            expected[all.schema->name.table] = lines_of(table);
        }
        return expected;
    }
    auto actual(Target& target) const -> std::map<std::string, Lines> {
        std::map<std::string, Lines> actual;
        for (const auto& all : queue_) {
            std::vector<std::string> columns;
            for (const auto& column : all.schema->columns) columns.push_back(column.name);
            actual[all.schema->name.table] = read_sorted(target, all.schema->name.table, columns);
        }
        return actual;
    }

private:
    static auto piece(const Batch& all, std::uint64_t from, std::uint64_t length) -> Batch {
        return {all.schema, all.rows->Slice(static_cast<std::int64_t>(from),
                                            static_cast<std::int64_t>(length))};
    }

    std::mt19937_64 random_;
    std::vector<Batch> queue_;
};

auto run_until(History& history, Target& target) -> void {
    Session sink(target);
    const auto progress = sink.open();
    auto at = progress ? progress->offsets.change_offset : 0;
    while (at < history.size()) {
        const auto to = at + 1 + history.roll(std::min<std::uint64_t>(40, history.size() - at));
        history.write(sink, at, to);
        const auto fate = history.roll(10);
        if (fate == 0) return;  // dropped with an open epoch
        if (fate == 1) {
            sink.open();  // as after an error
            continue;
        }
        sink.commit(to);
        at = to;
        if (fate == 2) sink.settle(Rest::idle);
        if (fate == 3) return;
    }
}

TEST_P(SinkConformance, RandomHistoriesComeToTheSameAsRowByRow) {
    constexpr int changes = 300;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        auto& fresh = fresh_target();
        History history(seed, changes);
        for (int attempt = 0; attempt < 1'000; ++attempt) {
            run_until(history, fresh);
            std::optional<Progress> progress;
            { progress = Session(fresh).open(); }
            if (!progress) continue;
            const auto at = progress->offsets.change_offset;
            ASSERT_EQ(history.actual(fresh), history.expected_at(at)) << "after change " << at;
            if (at == history.size()) break;
        }
        std::optional<Progress> progress = Session(fresh).open();
        ASSERT_TRUE(progress.has_value());
        ASSERT_EQ(progress->offsets.change_offset, history.size());
    }
}

}  // namespace

}  // namespace leat::conformance
