// Sink: what a target connector gives to the engine. The engine (pipeline/lane) owns threads,
// batching, epochs, retries and back-off; a sink has none of these.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/batch.hpp"
#include "change/progress.hpp"

namespace leat {

// What a sink is made with, besides its own options: `make(options, context)`.
struct SinkContext {
    std::string pipeline;
    std::filesystem::path work_dir;  // exists, private to this sink: spill files
    const Clock* clock = nullptr;    // outlives the sink
};

// Whose rows these are. A target that holds the progress of another pipeline is refused (config).
struct Identity {
    std::string pipeline;
    std::string lane;              // the sink's name within the pipeline
    std::string queue_id;          // identifies the queue whose offsets the progress is made of
    Incarnation incarnation = 0;   // older than the stored one: refused (config) before any write
};

// A row that does not fit the target, with the reason; never the row's values.
struct Reject {
    std::int64_t row = 0;  // in the batch that was written
    std::string column;
    std::string reason;
};
using Rejects = std::vector<Reject>;

// When a sink is asked to settle: behind a commit, while the lane has nothing to do, before the lane
// ends.
enum class Rest { after_commit, idle, last };

using TableFilter = std::function<bool(const TableName&)>;

// Called by one lane thread, in this order: open, then any number of epochs; an epoch is any mix of
// evolve and write, or one adopt, ended by one commit. After any error the engine calls open() again (or destroys
// the sink), which discards the open epoch, and replays from the progress it returns.
class Sink {
public:
    virtual ~Sink() = default;

    // Connects and says where the target stands; nothing: an empty target. Refuses (config) a
    // target of another pipeline or queue, a newer incarnation, a file in use.
    virtual auto open(const Identity& identity) -> Result<std::optional<Progress>> = 0;

    // The rows that follow have this schema. Also in the middle of an epoch or of a source
    // transaction. Called for each table before its first row after open(), so a repeat of what the
    // target knows is normal. `schema->generation` says which copy of the table is meant: 0 the live
    // one, any other the one that is filled for that generation, beside the live one if there is
    // one; it begins empty, and takes the place of one that was filled for another generation. An
    // added column gets its default in the rows that exist; a dropped column stays, and is NULL in
    // all rows from then on; a column of the same name and another id is a drop and an add; one of
    // the same id and another name is renamed, and names may change places; a type that widens keeps
    // every value (format/widen/widen.hpp). What the target cannot follow is Fault::fatal, naming table and column.
    // `schema` may be of an earlier version than the target has, where the lane starts again between
    // an image and changes that were taken in before the image's last columns came: the table keeps
    // its version, and the rows that follow become rows of that (format/widen/adapt.hpp).
    virtual auto evolve(const SchemaPtr& schema) -> Result<void> = 0;

    // Adds rows to the open epoch. Rows come in source order per table; bounded memory whatever the
    // epoch's size. With rejects (judged row by row before any collapse) nothing of the batch was
    // added: the engine writes it again without them.
    virtual auto write(const Batch& batch) -> Result<Rejects> = 0;

    // Makes the epoch's rows and `progress` visible together, or neither. Fault::uncertain when the
    // outcome is unknown. May be called without rows.
    virtual auto commit(const Progress& progress) -> Result<void> = 0;

    // The copies that were filled for this generation become the live ones, those that `wanted`
    // says; live ones of the same name go. In an epoch without rows, and visible with its commit.
    virtual auto adopt(Generation generation, const TableFilter& wanted) -> Result<void> = 0;

    // A chance to make safe what is committed (checkpoint); Rest::last: do it now. Yields how far the
    // target is safe against its own loss, at or behind what was committed; nothing: not at all yet.
    // It is called behind every commit, and what it costs is not taken for the cost of a commit.
    virtual auto settle(Rest rest) -> Result<std::optional<Offsets>> = 0;
};

// Optional for a Sink (found by dynamic_cast): read-only SQL over what is committed. Called from
// other threads than the lane's, any number at once, between open() and destruction.
struct QueryResult {
    std::vector<std::string> columns;
    std::vector<std::string> types;
    std::vector<std::vector<std::optional<std::string>>> rows;  // values as text, empty: NULL
    bool truncated = false;  // more than rows_max rows
};

// The same as an Arrow IPC stream, with the types that the target gave.
struct QueryStream {
    std::string bytes;
    bool truncated = false;
};

class Queryable {
public:
    virtual ~Queryable() = default;
    // Refuses (config) anything but one read-only statement. Sees whole epochs only.
    virtual auto query(const std::string& sql, std::size_t rows_max) -> Result<QueryResult> = 0;
    virtual auto query_arrow(const std::string& sql, std::size_t rows_max)
        -> Result<QueryStream> = 0;
};

// Optional for a Sink (found by dynamic_cast): a copy of what is committed, for programs that cannot
// read the target while it is written.
class Copying {
public:
    virtual ~Copying() = default;
    // Zero: no copy is wanted.
    [[nodiscard]] virtual auto copy_every() const -> Duration = 0;
    // Puts a new copy in the place of the former one, in one step; it holds whole epochs only. From
    // a thread of its own beside all other calls, never two at once; `stop` interrupts it. An Error:
    // the former copy stays.
    virtual auto copy(const std::stop_token& stop) -> Result<void> = 0;
};

}  // namespace leat
