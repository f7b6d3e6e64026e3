// Routes batches, and turns rejects into dead letters; see shaper.hpp.
#include "pipeline/shaper.hpp"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "base/failpoint.hpp"
#include "format/widen/adapt.hpp"

namespace leat {

namespace {

constexpr std::int64_t ratio_rows_min = 100;
// What is gathered may keep whole frames in memory, so all that they brought counts.
constexpr std::size_t held_bytes_max = 16U << 20U;

auto op_of(const Batch& batch, std::int64_t row) -> Op {
    return static_cast<Op>(
        static_cast<const arrow::UInt8Array&>(*batch.rows->column(op_column)).Value(row));
}

auto number_of(const Batch& batch, int column, std::int64_t row) -> std::uint64_t {
    return static_cast<const arrow::UInt64Array&>(*batch.rows->column(column)).Value(row);
}

auto no_letters(const Batch& batch, const Rejection& first, std::size_t count) -> Error {
    return Error{Fault::poison,
                 "row is rejected: " + std::string(to_string(first.reason)) + ", " + first.rule +
                     " (" + std::to_string(count) + " rows of this batch)",
                 "Change the values or the column type at the source and start anew, or leave the "
                 "table out of the sink.",
                 to_string(batch.schema->name), Code::row_rejected};
}

}  // namespace

// One batch on one line.
struct Shaper::Passing {
    Line& line;
    const Batch& source;
    std::uint32_t lineage;
    FlowCounts& counts;
    std::int64_t substitutes = 0;
    OnBadUpdate on_bad_update = OnBadUpdate::keep_last_good;
    std::set<Position> settled{};  // of rows that stand in place of rejected ones

    [[nodiscard]] auto position(const Batch& batch, std::int64_t row) const -> Position {
        return {lineage, number_of(batch, commit_column, row),
                number_of(batch, ordinal_column, row), ""};
    }

    // The row of the source's batch that a row further down comes from: near its place, as rows
    // keep their order.
    [[nodiscard]] auto origin(const Batch& batch, std::int64_t row) const -> std::int64_t {
        const auto wanted = position(batch, row);
        auto at = std::min(row, source.rows->num_rows() - 1);
        while (at + 1 < source.rows->num_rows() && position(source, at) < wanted) ++at;
        while (at > 0 && position(source, at) > wanted) --at;
        return at;
    }

    auto letter(const Batch& batch, const Rejection& rejection, std::string key, bool has_base)
        -> Result<Letter> {
        Letter letter;
        const auto row = origin(batch, rejection.row);
        letter.target = line.route.output;
        letter.source = source.schema->name;
        letter.version = source.schema->version;
        letter.position = position(batch, rejection.row);
        letter.commit_time_us = static_cast<const arrow::TimestampArray&>(
                                    *source.rows->column(commit_time_column))
                                    .Value(row);
        letter.op = op_of(source, row);
        letter.reason = rejection.reason;
        letter.rule = rejection.rule;
        letter.text = rejection.text;
        letter.key = std::move(key);
        letter.has_base = has_base;
        letter.row = TRY(encode_row(source, row));
        return letter;
    }
};

namespace {

// The key that a row had before, as letters write it; the same as its own where it did not change.
struct Keys {
    std::string own;
    std::string old;
};

auto keys_of(const Batch& batch, std::int64_t row) -> Keys {
    Keys keys;
    keys.own = key_text(*batch.rows, batch.schema->key, row);
    const auto& before = *batch.rows->column(before_column);
    const bool moved = before.type_id() != arrow::Type::NA && before.IsValid(row);
    keys.old = moved ? key_text(before, row) : keys.own;
    return keys;
}

}  // namespace

auto Shaper::make(ShaperParts parts) -> Result<std::unique_ptr<Shaper>> {
    auto shaper = std::unique_ptr<Shaper>(new Shaper(std::move(parts)));
    std::vector<RouteStep> steps;
    for (const auto& part : shaper->parts_.transforms) steps.push_back({part.name, part.input});
    shaper->routes_ = TRY(make_routes(steps));
    return shaper;
}

auto Shaper::sibling() const -> Result<std::unique_ptr<Shaper>> {
    return make(parts_);
}

auto Shaper::outputs_of(const TableName& source) -> Result<std::set<TableName>> {
    std::set<TableName> outputs;
    for (const auto& route : TRY(routes_of(target_name(source))))
        outputs.insert(route.steps.empty() ? source : TableName{"public", route.output});
    return outputs;
}

auto Shaper::supersede_letters(const std::set<TableName>& sources, const Position& point)
    -> Result<void> {
    if (!parts_.letters) return {};
    for (const auto& source : sources)
        for (const auto& route : TRY(routes_of(target_name(source))))
            TRY(parts_.letters->supersede(route.output, "", point, true));
    return {};
}

auto Shaper::definition_of(const Route& route) const -> Definition {
    Definition definition{route.source, {}};
    for (const auto step : route.steps)
        definition.steps.push_back(parts_.transforms[step].definition);
    return definition;
}

auto Shaper::begin(bool sink_is_empty) -> Result<void> {
    if (!parts_.definitions) return {};
    parts_.definitions->keep([&](const std::string& output, const Definition& noted) {
        const auto routes = routes_of(noted.source);
        return !sink_is_empty && routes &&
               std::any_of(routes->begin(), routes->end(),
                           [&](const Route& route) { return route.output == output; });
    });
    return parts_.definitions->sync();
}

auto Shaper::is_current(const TableName& source, Incarnation held) -> Result<bool> {
    if (!parts_.definitions) return true;
    for (const auto& route : TRY(routes_of(target_name(source))))
        if (!TRY(parts_.definitions->is_noted(route.output, definition_of(route), held)))
            return false;
    return true;
}

auto Shaper::note_current(const std::set<TableName>& sources, Incarnation by) -> Result<void> {
    if (!parts_.definitions) return {};
    for (const auto& source : sources)
        for (const auto& route : TRY(routes_of(target_name(source))))
            parts_.definitions->note(route.output, definition_of(route), by);
    return parts_.definitions->sync();
}

auto Shaper::routes_of(const std::string& source) const -> Result<std::vector<Route>> {
    std::vector<Route> routes;
    bool replaced = false;
    for (const auto& route : routes_) {
        const bool ours = is_same_name(route.source, source);
        if (is_same_name(route.output, source)) {
            replaced = true;
            if (!ours)
                return Error{Fault::config,
                             "a table of the source and a transform of another table are both "
                             "called " + source,
                             "Rename the transform.", "transform " + route.output,
                             Code::transform_names};
        }
        if (ours && is_taken(parts_.tables, route.output)) routes.push_back(route);
    }
    if (!replaced && is_taken(parts_.tables, source)) routes.push_back({source, source, {}});
    return routes;
}

auto Shaper::lines_of(const std::string& source) -> Result<std::vector<Line>*> {
    const auto known = lines_.find(source);
    if (known != lines_.end()) return &known->second;
    std::vector<Line> lines;
    for (auto& route : TRY(routes_of(source))) {
        Line line;
        line.route = std::move(route);
        for (const auto step : line.route.steps) {
            const auto& part = parts_.transforms[step];
            line.stages.push_back({&part, TRY(part.make()), nullptr});
        }
        lines.push_back(std::move(line));
    }
    return &lines_.emplace(source, std::move(lines)).first->second;
}

auto Shaper::apply(const Batch& given, std::uint32_t lineage, const Put& put)
    -> Result<std::int64_t> {
    const auto batch = TRY(in_newest_version(given));
    std::int64_t rows = 0;
    for (auto& line : *TRY(lines_of(target_name(batch.schema->name))))
        rows += TRY(take(line, batch, lineage, put));
    if (!holds_rows()) return rows;
    held_bytes_ += byte_size(batch);
    if (held_bytes_ > held_bytes_max) rows += TRY(flush(put));
    return rows;
}

// Columns that documents have shown while an image was read are in it before the changes that were
// taken in meanwhile and do not have them yet.
auto Shaper::in_newest_version(const Batch& batch) -> Result<Batch> {
    auto& newest = newest_[batch.schema->name];
    const bool is_older = newest && newest->generation == batch.schema->generation &&
                          batch.schema->version < newest->version;
    if (is_older) return adapt(batch, newest);
    newest = batch.schema;
    return batch;
}

// A run of SQL costs as much as several hundred rows do, however few come.
auto Shaper::take(Line& line, const Batch& batch, std::uint32_t lineage, const Put& put)
    -> Result<std::int64_t> {
    if (line.stages.empty()) return pass(line, batch, lineage, put);
    std::int64_t rows = 0;
    if (!line.gathering.suits(batch, lineage)) rows = TRY(flush(line, put));
    if (batch.rows->num_rows() == 0) return rows + TRY(pass(line, batch, lineage, put));
    if (line.gathering.empty() && holding_++ == 0) held_bytes_ = 0;
    line.gathering.add(batch, lineage);
    if (line.gathering.is_full()) rows += TRY(flush(line, put));
    return rows;
}

auto Shaper::flush(Line& line, const Put& put) -> Result<std::int64_t> {
    if (line.gathering.empty()) return 0;
    --holding_;
    const auto lineage = line.gathering.lineage();
    return pass(line, TRY(line.gathering.take()), lineage, put);
}

auto Shaper::flush(const Put& put) -> Result<std::int64_t> {
    std::int64_t rows = 0;
    if (!holds_rows()) return rows;
    for (auto& [source, lines] : lines_)
        for (auto& line : lines) rows += TRY(flush(line, put));
    return rows;
}

auto Shaper::pass(Line& line, const Batch& batch, std::uint32_t lineage, const Put& put)
    -> Result<std::int64_t> {
    Passing passing{line, batch, lineage, counts_[line.route.output]};
    passing.counts.rows_in += batch.rows->num_rows();
    line.rows += batch.rows->num_rows();
    const auto bad_before = line.bad;
    auto current = TRY(settle_misfits(passing, batch));
    for (auto& stage : line.stages) {
        passing.on_bad_update = stage.part->on_bad_update;
        if (!stage.prepared || !is_same_version(stage.prepared, current.schema)) {
            TRY(stage.transform->prepare(current.schema));
            stage.prepared = current.schema;
        }
        auto applied = TRY(stage.transform->apply(current));
        passing.counts.filtered += applied.filtered;
        passing.substitutes += applied.substitutes;
        for (const auto& [rule, count] : applied.warned) passing.counts.warned[rule] += count;
        for (const auto& [rule, count] : applied.dropped) passing.counts.dropped[rule] += count;
        add(applied.passed_over, passing.counts.passed_over);
        current = std::move(applied.out);
        if (!applied.rejects.empty())
            current = TRY(settle(passing, current, applied.rejects, &stage == &line.stages.back()));
    }
    if (parts_.letters && parts_.letters->knows(line.route.output))
        current = TRY(settle(passing, current, {}, true));
    const auto rows = TRY(write(passing, std::move(current), put));
    TRY(check_ratio(line));
    // A letter is worth a commit as a row is.
    return rows + line.bad - bad_before;
}

// Rows that the source itself finds unfit go no further.
auto Shaper::settle_misfits(Passing& passing, const Batch& batch) -> Result<Batch> {
    const auto misfits = misfits_of(batch);
    auto rows = TRY(passing.line.without_misfits(batch));
    if (misfits.empty()) return rows;
    return settle(passing, rows, misfits, passing.line.stages.empty());
}

auto Shaper::write(Passing& passing, Batch batch, const Put& put) -> Result<std::int64_t> {
    while (true) {
        const auto rejects = TRY(put(batch));
        if (rejects.empty()) break;
        std::vector<Rejection> reasons;
        for (const auto& each : rejects)
            reasons.push_back(
                {each.row, RejectReason::does_not_fit_target, each.column, each.reason});
        batch = TRY(settle(passing, batch, reasons, true));
    }
    passing.counts.applied += batch.rows->num_rows() - passing.substitutes;
    return batch.rows->num_rows();
}

// Takes the rejected rows out, and with them partial rows of a key that has an open letter; puts in
// their place what the sink has to do instead. `is_last`: no transform comes behind.
auto Shaper::settle(Passing& passing, const Batch& batch, const std::vector<Rejection>& rejects,
                    bool is_last) -> Result<Batch> {
    if (!parts_.letters) return no_letters(batch, rejects.front(), rejects.size());
    auto& letters = *parts_.letters;
    const auto& target = passing.line.route.output;
    const bool keyed = batch.schema->identity == RowIdentity::key;
    std::vector<PickedRow> picks;
    auto next = rejects.begin();
    for (std::int64_t row = 0; row < batch.rows->num_rows(); ++row) {
        const auto op = op_of(batch, row);
        const auto position = passing.position(batch, row);
        std::optional<Rejection> rejection;
        if (next != rejects.end() && next->row == row) rejection = *next++;
        if (op == Op::truncate) TRY(letters.supersede(target, "", position, true));
        if (op == Op::truncate || passing.settled.contains(position) || (!keyed && !rejection)) {
            picks.push_back({row, Pick::keep});
            continue;
        }
        if (!keyed) {
            TRY(settle_without_key(passing, batch, *rejection, picks));
            continue;
        }
        const auto keys = keys_of(batch, row);
        const bool moved = keys.own != keys.old;
        const bool partial = is_partial(batch, row);
        const auto open = TRY(letters.open_before(target, keys.old, position));
        if (!rejection && partial && open)
            rejection = Rejection{row, RejectReason::incomplete_row, "",
                                  "an earlier row of this key is in the dead letters"};
        if (!partial || moved)
            TRY(letters.supersede(target, keys.old, position, !rejection));
        if (!rejection) {
            if (moved) TRY(letters.supersede(target, keys.own, position, true));
            picks.push_back({row, Pick::keep});
            continue;
        }
        const bool changes = op == Op::update || op == Op::replace;
        // With a filter nobody knows; what the sink does not hold is not moved.
        bool has_base = changes && (!open || open->has_base);
        const bool deletes = changes && passing.on_bad_update == OnBadUpdate::remove && !partial;
        if (deletes || (changes && moved)) {
            const bool moves = moved && has_base && is_last && !deletes;
            picks.push_back({row, moves ? Pick::move : Pick::remove});
            ++passing.substitutes;
            passing.settled.insert(position);
            has_base = moves;
        }
        TRY(reject(passing, batch, *rejection, keys.own, has_base));
    }
    return pick_rows(batch, picks);
}

// An update is taken apart, since either row may be the one that is rejected. A delete that is
// rejected is of a row that was rejected too when it came: there is nothing to delete.
auto Shaper::settle_without_key(Passing& passing, const Batch& batch, const Rejection& rejection,
                                std::vector<PickedRow>& picks) -> Result<void> {
    const auto row = rejection.row;
    switch (op_of(batch, row)) {
        case Op::update:
            picks.push_back({row, Pick::remove});
            picks.push_back({row, Pick::insert});
            ++passing.substitutes;
            return {};
        case Op::remove:
            if (op_of(passing.source, passing.origin(batch, row)) != Op::remove)
                --passing.substitutes;
            else ++passing.counts.passed_over["old_row_rejected"];
            return {};
        default: return reject(passing, batch, rejection, "", false);
    }
}

auto Shaper::reject(Passing& passing, const Batch& batch, const Rejection& rejection,
                    std::string key, bool has_base) -> Result<void> {
    TRY(parts_.letters->add(
        TRY(passing.letter(batch, rejection, std::move(key), has_base))));
    ++passing.counts.dead_letters[std::string(to_string(rejection.reason))];
    ++passing.line.bad;
    return {};
}

auto Shaper::check_ratio(const Line& line) -> Result<void> {
    const double limit = line.stages.empty() ? TransformPart{}.bad_ratio_max
                                             : line.stages.back().part->bad_ratio_max;
    if (line.rows < ratio_rows_min ||
        static_cast<double>(line.bad) <= limit * static_cast<double>(line.rows))
        return {};
    return Error{Fault::poison,
                 std::to_string(line.bad) + " of " + std::to_string(line.rows) +
                     " rows since the last commit are rejected, more than bad_ratio_max allows",
                 "Mend the transform or the rows, or raise bad_ratio_max; nothing of them was "
                 "committed.",
                 line.route.output, Code::row_ratio};
}

auto Shaper::before_commit() -> Result<void> {
    for (auto& [source, lines] : lines_)
        for (auto& line : lines) line.rows = line.bad = 0;
    if (!parts_.letters) return {};
    TRY(parts_.letters->sync());
    failpoint("lane.letters_synced");
    return {};
}

auto Shaper::take_counts() -> std::map<std::string, FlowCounts> {
    return std::exchange(counts_, {});
}

}  // namespace leat
