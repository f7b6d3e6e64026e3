// About a thousand rows: a generation without an image, one that the stream begins with, a rebuild
// that is given up and one that is not, a table that leaves; changes beside the images; small and
// large transactions, one over segments, one never ended; positions; schema versions; segment
// switches; retention; three lives.
#include "script.hpp"

namespace leat::log_queue {

namespace {

using namespace fixture;

auto items(std::uint64_t version) -> SchemaPtr {
    Columns columns = {{"id", arrow::int64()}, {"note", arrow::utf8()}};
    if (version > 1) columns.push_back({"price", arrow::float64()});
    auto schema = std::make_shared<TableSchema>(*keyed_table("items", columns));
    schema->version = version;
    schema->generation = script_lineage;
    return schema;
}

auto row(std::uint64_t commit, std::int64_t key, std::size_t note, std::size_t columns) -> Row {
    Row values = {key, std::string(note, static_cast<char>('a' + commit % 26))};
    if (columns > 2) values.push_back(0.5 * static_cast<double>(key));
    return values;
}

class Script {
public:
    auto append(Frame frame) -> void { steps_.push_back({Do::append, std::move(frame), ""}); }
    auto step(Do what, std::string lane = "") -> void {
        steps_.push_back({what, {}, std::move(lane)});
    }

    // One transaction of as many frames; the last may be left out.
    auto changes(std::uint64_t commit, std::size_t frames, std::int64_t rows, std::size_t note,
                 bool ends = true) -> void {
        std::uint64_t ordinal = 0;
        for (std::size_t i = 0; i < frames; ++i) {
            Frame frame;
            frame.first = {script_lineage, commit, ordinal, ""};
            const auto version = commit < 40 ? 1U : 2U;
            std::vector<SchemaPtr> tables = {orders(version, script_lineage)};
            if (commit % 3 == 0 && commit <= 60) tables.push_back(items(version));
            for (const auto& schema : tables) {
                BatchFixture batch(schema, commit);
                batch.first_ordinal(ordinal);
                for (std::int64_t key = 0; key < rows; ++key, ++ordinal)
                    batch.insert(row(commit, key, note, schema->columns.size()));
                frame.batches.push_back(batch.build());
            }
            frame.last = {script_lineage, commit, ordinal - 1, "token-" + std::to_string(commit)};
            frame.commit_time_us = static_cast<std::int64_t>(commit) * 1000;
            frame.ends_transaction = ends && i + 1 == frames;
            append(std::move(frame));
        }
    }

    auto position(std::uint64_t commit) -> void {
        auto frame = fixture::position(commit);
        frame.first.lineage = frame.last.lineage = script_lineage;
        append(std::move(frame));
    }

    auto first_image() -> void {
        append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
        append(marker(MarkerKind::end, 1, {}, {orders_name()}));
    }

    auto second_image() -> void {
        auto first = begin(2, Purpose::anew, {orders_name(), items_name()});
        first.marker->position.lineage = script_lineage;
        append(std::move(first));
        changes(3, 1, 4, 30);
        append(marker(MarkerKind::point, 2, {script_lineage, consistent_point, 0, "second"}));
        for (int i = 0; i < 24; ++i) {
            append(image(100 + i, 2, consistent_point, 4000));
            if (i % 6 == 5) changes(6 + static_cast<std::uint64_t>(i) / 6, 1, 6, 30);
            if (i == 15) step(Do::reopen);
            if (i == 20) append(whole(2, consistent_point));
        }
        append(marker(MarkerKind::end, 2, {script_lineage, 9, 0, ""}, {items_name()}));
    }

    // Its frames are spread over the commits behind its begin.
    auto rebuild(Generation generation, std::uint64_t commit) -> void {
        append(begin(generation, Purpose::rebuild, {orders_name()}, {"duckdb", "slow"}));
        append(marker(MarkerKind::point, generation, {script_lineage, commit, 0, "rebuild"}));
        append(image(1, generation, commit, 9000));
    }
    auto end_rebuild(Generation generation, std::uint64_t commit) -> void {
        append(image(2, generation, commit, 9000));
        append(whole(generation, commit));
        append(marker(MarkerKind::end, generation, {script_lineage, commit, 0, ""}));
    }
    static auto whole(Generation generation, std::uint64_t commit) -> Frame {
        return marker(MarkerKind::table, generation, {script_lineage, commit, 0, ""},
                      {orders_name()});
    }
    // What the stream has beside its commits.
    auto beside(std::uint64_t commit) -> void {
        if (commit == 20) rebuild(3, 20);
        if (commit == 24)
            append(marker(MarkerKind::end, 3, {script_lineage, 24, 0, ""}, {orders_name()}));
        if (commit == 26) rebuild(4, 26);
        if (commit == 33) end_rebuild(4, 26);
        if (commit == 48) rebuild(5, 48);
        if (commit == 57) end_rebuild(5, 48);
        if (commit == 60) append(frame_of({MarkerKind::left, 0, {}, {items_name()}}));
    }

    // Commits 10 to 69.
    auto stream() -> void {
        for (std::uint64_t commit = 10; commit < 70; ++commit) {
            if (commit % 9 == 0) position(commit);
            else if (commit % 17 == 0) changes(commit, 3, 8, 300);
            else if (commit == 30) changes(commit, 5, 10, 3500);
            else changes(commit, 1, commit % 4 == 0 ? 22 : 7, commit % 5 == 0 ? 600 : 40);
            if (commit == 45) {
                changes(46, 4, 10, 3000, false);
                step(Do::resume);
            }
            beside(commit);
            if (commit % 8 == 0) step(Do::deliver, "duckdb");
            if (commit % 20 == 0) step(Do::deliver, "slow");
            if (commit % 4 == 0) step(Do::tick);
            if (commit == 50) step(Do::reopen);
        }
    }

    auto take() -> std::vector<Step> { return std::move(steps_); }

private:
    std::vector<Step> steps_;
};

}  // namespace

auto make_script() -> std::vector<Step> {
    Script script;
    script.first_image();
    script.second_image();
    script.stream();
    return script.take();
}

auto events(const std::vector<Step>& script) -> std::int64_t {
    std::int64_t rows = 0;
    for (const auto& step : script) rows += step.frame.rows();
    return rows;
}

auto transaction(std::uint64_t commit) -> Frame {
    Script script;
    script.changes(commit, 1, 1, 20);
    return script.take().front().frame;
}

}  // namespace leat::log_queue
