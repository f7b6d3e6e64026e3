// Source and Snapshots: what a source connector gives to the engine. The engine (pipeline/capture)
// owns retries and back-off; a source has no retry loop, and after an Error with Fault::retry the
// engine destroys it, makes a new one and opens that at the queue's resume point.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "change/frame.hpp"
#include "queue/durable.hpp"

namespace leat {

// What a source is made with, besides its own options: `make(options, context)`.
struct SourceContext {
    std::string pipeline;
    std::filesystem::path work_dir;  // exists, private to this source: spill files
    const Clock* clock = nullptr;    // outlives the source
};

// Where capture goes on: the last complete transaction in the queue and the newest schema of every
// table up to there, so that a source can tell a schema change from a repeated description.
// `images`: where images stand that all sinks get of tables they do not have: changes up to there
// are of no use, and may have been made under an older schema than the one named here. `tables`:
// what the stream has carried up to there. One that is not among them is new, or lacks its image
// still: it will be taken, from whose point on its changes count.
struct Resume {
    Position position;
    std::vector<SchemaPtr> schemas;
    std::map<TableName, Position> images{};
    std::set<TableName> tables{};
};

// What open() found. `gap`: changes behind the position are lost for good, and why (Fault::fatal,
// with the remedy); nothing flows then until Snapshots::begin has begun the stream anew.
struct Opened {
    std::set<TableName> tables;  // that the stream carries from now on
    std::optional<Error> gap;
};

// All functions are called from one capture thread, except confirm() (the appender's thread, may
// run beside read()). Order: open, [Snapshots::begin when there is nothing to resume], read…
class Source {
public:
    virtual ~Source() = default;

    // Connects, checks rights and settings, compares identity with resume->position.token, and
    // makes what it needs at the server (publication), but for a fresh start nothing that begins
    // to hold back its log: Snapshots::begin does that. Tables that are new beside a resume
    // position are carried from now on. Refuses (config) with the exact remedy.
    virtual auto open(const std::optional<Resume>& resume) -> Result<Opened> = 0;

    // The next frame in commit order, never empty of meaning: batches of whole or (beyond the byte
    // cap) part transactions, or a position frame when idle, at most one a second. Waits until
    // there is something; an error with Fault::retry and what = "stopped" when stop is asked for.
    virtual auto read(const std::stop_token& stop) -> Result<Frame> = 0;

    // Everything up to the proof is durable on our side: the source may forget it.
    virtual auto confirm(const Durable& durable) -> Result<void> = 0;

    // The newest position at the source now: everything committed before this call is at or below
    // it, and read() will reach it even if nothing more happens. Own connection; any thread.
    virtual auto head() -> Result<Position> = 0;
};

// `is_anew`: the stream begins with this image, at its point, with all tables; otherwise it runs
// already. Only then:
//   lineage    for all positions from now on
//   is_retake  an earlier attempt under this pipeline was begun: what it left at the server (slot)
//              is ours and is made anew. Otherwise an existing slot is refused as foreign
struct SnapshotRequest {
    Generation generation = 1;
    std::set<TableName> tables{};
    bool is_anew = true;
    std::uint32_t lineage = 1;
    bool is_retake = false;
    // Ends a wait for the source (PostgreSQL: for transactions that were open at the point).
    std::stop_token stop{};
};

// A piece of one table's image that one connection reads; opaque numbers of the source's own.
struct Chunk {
    SchemaPtr schema;
    std::uint64_t number = 0;  // over the whole generation, from 0
    std::uint64_t begin = 0;   // PostgreSQL: first heap block
    std::uint64_t end = 0;     // PostgreSQL: block after the last; 0: open-ended
    std::uint64_t rows_estimate = 0;
};

// Called with the batches of a chunk as they arrive, in order; its error ends the read. A batch need
// not be in the queue yet when it returns.
using BatchReceiver = std::function<Result<void>(Batch)>;

// Optional for a Source (found by dynamic_cast): reading images, one after the other, each at one
// consistent point. begin, chunks and end are called from one thread, which is capture's only for
// an image that the stream begins with, and otherwise one beside read().
class Snapshots {
public:
    virtual ~Snapshots() = default;

    // Takes the consistent point and holds it until end(): the image is exactly what was committed
    // at or before it, and read() yields everything after it. Guards against rewrites in between.
    virtual auto begin(const SnapshotRequest& request) -> Result<Position> = 0;

    // All chunks of all tables, at least one per table, smallest table first. After begin().
    virtual auto chunks() -> Result<std::vector<Chunk>> = 0;

    // Reads one chunk over a connection of the calling thread's own (`worker` from 0 names it and
    // is reused); several threads call it at once with different workers, beside Source::read.
    virtual auto read_chunk(const Chunk& chunk, std::size_t worker, const BatchReceiver& receive,
                            const std::stop_token& stop) -> Result<void> = 0;

    // Every chunk has been appended: lets go of the point. Returns the settled point.
    virtual auto end() -> Result<Position> = 0;

    // Tables whose changes cannot be followed from where the stream is: open() or read() has failed
    // with Fault::retry because of them. The next source is opened without them, as if they
    // were new, and an image of them is taken.
    [[nodiscard]] virtual auto stale() const -> std::set<TableName> = 0;
};

// Optional for a Source with Snapshots (found by dynamic_cast): images that outlive the source that
// began them, because what was read of them late is healed by the changes since their point.
class LastingImages {
public:
    virtual ~LastingImages() = default;

    // Whether the image of this generation can be read on where it was left. Also before open().
    [[nodiscard]] virtual auto is_kept(Generation generation) const -> bool = 0;

    // Instead of Snapshots::begin(), for a kept one whose point is known already: chunks() then
    // yields what is left of the request's tables. Rows that the queue may hold already come as
    // Op::replace.
    virtual auto go_on(const SnapshotRequest& request) -> Result<void> = 0;

    // All of the chunk is in the queue: a later start need not read it. From the thread that read it.
    virtual auto note_appended(const Chunk& chunk) -> Result<void> = 0;
};

// `unsent`: columns that an update may come without. `whole_rows_remedy`: what makes every update
// come with all of them. `must_be_whole`: see Lookups. `refusal`: of complete(), where
// it makes no row whole.
struct DescribedTable {
    SchemaPtr schema;
    std::set<std::string> unsent{};
    std::string whole_rows_remedy{};
    bool must_be_whole = false;
    std::optional<Error> refusal{};
};

// Optional for a Source (found by dynamic_cast): its tables as they are now. Instead of open();
// changes nothing.
class Describable {
public:
    virtual ~Describable() = default;
    virtual auto describe_tables() -> Result<std::vector<DescribedTable>> = 0;
};

// `looked_up`: rows that were made whole. `gone`: rows left out; `gone_as_deletes`: rows that
// became deletes of their old key.
struct Completed {
    Batch batch;
    std::int64_t looked_up = 0;
    std::int64_t gone = 0;
    std::int64_t gone_as_deletes = 0;
};

// Optional for a Source (found by dynamic_cast): reading what the stream left out of rows
// (`_unchanged`).
class Lookups {
public:
    virtual ~Lookups() = default;

    // Whether rows of this table may come without all their columns, as far as is known now.
    [[nodiscard]] virtual auto may_be_partial(const TableName& table) const -> bool = 0;

    // Whether a partial row may lack this column, which is not of its key.
    [[nodiscard]] virtual auto may_lack(const Column& column) const -> bool = 0;

    // Whether nothing may rest on what a row of this table was before, because rows of it may have
    // been left out.
    [[nodiscard]] virtual auto must_be_whole(const TableName& table) const -> bool = 0;

    // Makes the partial rows of a batch of the frame that read() yielded last whole: reads all that
    // they lack by key. The values are not older than the row, but may be newer. A row that is no
    // longer there under its key is left out, for its delete or change of key follows, and that is
    // made whole too; where the row itself changed its key, a delete of the old one stays. A row
    // that cannot be looked up stays partial. Own connection; from the thread of read().
    virtual auto complete(const Batch& batch, const std::stop_token& stop) -> Result<Completed> = 0;
};

// Optional for a Source (found by dynamic_cast): forgetting a pipeline for good.
class Removable {
public:
    virtual ~Removable() = default;

    // Removes what the source made at the server for this pipeline (slot, publication), never what
    // the user made. Instead of open(). Returns a line per thing removed; what is already gone is
    // no error.
    virtual auto remove() -> Result<std::vector<std::string>> = 0;
};

}  // namespace leat
