// Shaper: what happens to a batch between the queue and the sink: transforms, dead letters, counts.
// Owned and called by one lane thread, one per attempt of the lane. Without transforms and letters
// a batch goes through uncopied.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "change/pick_rows.hpp"
#include "dead_letter/letter_box.hpp"
#include "pipeline/definitions.hpp"
#include "pipeline/gathering.hpp"
#include "pipeline/misfits.hpp"
#include "pipeline/routes.hpp"
#include "pipeline/status.hpp"
#include "sink/sink.hpp"
#include "transform/transform.hpp"

namespace leat {

enum class OnBadUpdate : std::uint8_t { keep_last_good, remove };

struct TransformPart {
    std::string name;
    std::string input;
    OnBadUpdate on_bad_update = OnBadUpdate::keep_last_good;
    // Of the rows since the last commit, from the hundredth on: more rejects than this stop the
    // lane before it commits anything.
    double bad_ratio_max = 0.5;
    std::function<Result<std::unique_ptr<Transform>>()> make;
    std::string definition;  // all that decides which rows come out
};

struct ShaperParts {
    std::set<std::string> tables;  // target names that the sink takes; empty: all
    std::vector<TransformPart> transforms;
    std::shared_ptr<LetterBox> letters;  // none: a row that is rejected stops the lane
    std::shared_ptr<Definitions> definitions{};  // none: a change of them is not noticed
};

class Shaper {
public:
    static auto make(ShaperParts parts) -> Result<std::unique_ptr<Shaper>>;

    // Another one over the same letters, for rows of other versions of the tables: its plans are its
    // own. Of the same thread.
    [[nodiscard]] auto sibling() const -> Result<std::unique_ptr<Shaper>>;

    // The tables of the sink that rows of this table of the source go to.
    auto outputs_of(const TableName& source) -> Result<std::set<TableName>>;

    // The image of these tables at this point is in its place: letters from before it are answered.
    auto supersede_letters(const std::set<TableName>& sources, const Position& point)
        -> Result<void>;

    // Hands rows to the sink (evolve before, where needed). With rejects nothing was taken.
    using Put = std::function<Result<Rejects>(const Batch&)>;

    // Called once, before the first batch. What it does not get any more is no longer known.
    auto begin(bool sink_is_empty) -> Result<void>;
    // Whether the rows that the sink holds of this table of the source, or is being filled with, are
    // what it would get of it now. `held`: the incarnation that wrote the sink's progress.
    auto is_current(const TableName& source, Incarnation held) -> Result<bool>;
    // They are, from this incarnation on. Durable.
    auto note_current(const std::set<TableName>& sources, Incarnation by) -> Result<void>;

    // The batch goes through every route of its table. `lineage`: of its positions. Yields the rows
    // that were handed to the sink by this call. Small batches are gathered before a transform runs
    // over them, so rows may come later: with the next ones, or with flush().
    auto apply(const Batch& batch, std::uint32_t lineage, const Put& put) -> Result<std::int64_t>;
    // Hands on what is gathered; yields the rows that went to the sink.
    auto flush(const Put& put) -> Result<std::int64_t>;
    [[nodiscard]] auto holds_rows() const -> bool { return holding_ > 0; }
    // Tables have taken the place of others: their versions count anew.
    auto forget_versions() -> void { newest_.clear(); }

    // Called before every commit of the sink, flushed: letters are on disk when it returns.
    auto before_commit() -> Result<void>;
    // What was counted since the last call, by output table.
    auto take_counts() -> std::map<std::string, FlowCounts>;

private:
    struct Stage {
        const TransformPart* part = nullptr;
        std::unique_ptr<Transform> transform;
        SchemaPtr prepared;
    };
    struct Line {
        Route route;
        std::vector<Stage> stages;
        Gathering gathering;
        WithoutMisfits without_misfits;
        std::int64_t rows = 0;  // since the last commit
        std::int64_t bad = 0;
    };
    struct Passing;

    auto take(Line& line, const Batch& batch, std::uint32_t lineage, const Put& put)
        -> Result<std::int64_t>;
    auto flush(Line& line, const Put& put) -> Result<std::int64_t>;

    auto in_newest_version(const Batch& batch) -> Result<Batch>;

    explicit Shaper(ShaperParts parts) : parts_(std::move(parts)) {}
    [[nodiscard]] auto definition_of(const Route& route) const -> Definition;
    [[nodiscard]] auto routes_of(const std::string& source) const -> Result<std::vector<Route>>;
    auto lines_of(const std::string& source) -> Result<std::vector<Line>*>;
    auto pass(Line& line, const Batch& batch, std::uint32_t lineage, const Put& put)
        -> Result<std::int64_t>;
    auto settle_misfits(Passing& passing, const Batch& batch) -> Result<Batch>;
    auto write(Passing& passing, Batch batch, const Put& put) -> Result<std::int64_t>;
    auto settle(Passing& passing, const Batch& batch, const std::vector<Rejection>& rejects,
                bool is_last) -> Result<Batch>;
    auto settle_without_key(Passing& passing, const Batch& batch, const Rejection& rejection,
                            std::vector<PickedRow>& picks) -> Result<void>;
    auto reject(Passing& passing, const Batch& batch, const Rejection& rejection, std::string key,
                bool has_base) -> Result<void>;
    static auto check_ratio(const Line& line) -> Result<void>;

    ShaperParts parts_;
    std::vector<Route> routes_;
    std::map<std::string, std::vector<Line>> lines_;  // by target name of the source's table
    std::map<std::string, FlowCounts> counts_;
    std::map<TableName, SchemaPtr> newest_;
    std::size_t holding_ = 0;     // lines that gather now
    std::size_t held_bytes_ = 0;  // of all batches that came since the first of them began
};

}  // namespace leat
