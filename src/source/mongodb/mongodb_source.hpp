// MongoSource: change streams of a MongoDB deployment as a Source with Snapshots. Puts the parts of
// this folder together; README.md walks through them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/finding.hpp"
#include "source/mongodb/catalog.hpp"
#include "source/mongodb/client.hpp"
#include "source/mongodb/config.hpp"
#include "source/mongodb/decoder.hpp"
#include "source/mongodb/images.hpp"
#include "source/mongodb/lookup.hpp"
#include "source/mongodb/receiver.hpp"
#include "source/mongodb/shape.hpp"
#include "source/source.hpp"
#include "source/table_selection.hpp"
#include "source/vitals.hpp"

namespace leat::mongodb {

class MongoSource final : public Source,
                          public Snapshots,
                          public LastingImages,
                          public Lookups,
                          public Describable,
                          public Removable,
                          public Watchable,
                          public Checkable {
public:
    static auto make(const MongoConfig& config, const SourceContext& context)
        -> Result<std::unique_ptr<MongoSource>>;

    auto open(const std::optional<Resume>& resume) -> Result<Opened> override;
    auto read(const std::stop_token& stop) -> Result<Frame> override;
    // The oplog keeps what it keeps, whoever has read it.
    auto confirm(const Durable& /*durable*/) -> Result<void> override { return {}; }
    auto head() -> Result<Position> override;

    auto begin(const SnapshotRequest& request) -> Result<Position> override;
    auto chunks() -> Result<std::vector<Chunk>> override;
    auto read_chunk(const Chunk& chunk, std::size_t worker, const BatchReceiver& receive,
                    const std::stop_token& stop) -> Result<void> override;
    auto end() -> Result<Position> override;
    [[nodiscard]] auto stale() const -> std::set<TableName> override;

    [[nodiscard]] auto is_kept(Generation generation) const -> bool override;
    auto go_on(const SnapshotRequest& request) -> Result<void> override;
    auto note_appended(const Chunk& chunk) -> Result<void> override;

    [[nodiscard]] auto may_be_partial(const TableName& name) const -> bool override;
    [[nodiscard]] auto may_lack(const Column& column) const -> bool override;
    [[nodiscard]] auto must_be_whole(const TableName& name) const -> bool override;
    auto complete(const Batch& batch, const std::stop_token& stop) -> Result<Completed> override;

    auto describe_tables() -> Result<std::vector<DescribedTable>> override;
    auto remove() -> Result<std::vector<std::string>> override {
        return std::vector<std::string>();
    }

    auto watch(const std::optional<Position>& durable, const std::stop_token& stop)
        -> Result<SourceVitals> override;
    static auto vital_infos() -> std::vector<VitalInfo>;

    auto check() -> Result<std::vector<Finding>> override;

private:
    MongoSource(const MongoConfig& config, const SourceContext& context, TableSelection selection,
                std::string database);

    [[nodiscard]] auto options(const char* part) const -> ConnectOptions;
    // For commands that a server answers at once.
    [[nodiscard]] auto brisk(const char* part) const -> ConnectOptions;
    auto list(Connection& connection) const -> Result<std::vector<CatalogCollection>>;
    // `known`: tables of the stream, which may have been dropped meanwhile.
    auto select(Connection& connection, const std::set<TableName>& known)
        -> Result<std::vector<TableName>>;
    auto check_collections(Connection& connection, std::vector<Finding>& findings)
        -> Result<std::int64_t>;
    [[nodiscard]] auto only_database() const -> std::string;
    auto check_server(const Connection& connection) const -> Result<void>;
    auto identify(Connection& connection) -> Result<void>;
    auto compare_definitions(const Resume& resume) -> Result<void>;
    auto find_gap(const Resume& resume, Connection& connection) -> Result<std::optional<Error>>;
    struct Start {
        Position position;
        StreamStart stream;
        std::set<TableName> carried;             // of which every change is wanted
        std::map<TableName, Position> images{};  // but those up to here
    };
    auto start(const Start& start, Connection connection) -> Result<void>;
    auto open_stream(Connection connection, StreamStart start) -> Result<ChangeStream>;
    auto receive(ChangeStream stream) -> void;
    [[nodiscard]] auto stream_request(StreamStart start) const -> StreamRequest;
    [[nodiscard]] auto token_of(std::string_view resume_token) const -> std::string;
    [[nodiscard]] auto named(const TableName& table) const -> ImagedCollection;
    [[nodiscard]] auto row_rules() const -> RowRules;
    [[nodiscard]] auto shape_rules() const -> ShapeRules;
    [[nodiscard]] auto position_at(std::uint64_t commit, std::string_view resume_token) const
        -> Position;
    [[nodiscard]] auto image_options(const SnapshotRequest& request) const -> ImageOptions;
    [[nodiscard]] auto plan_file(Generation generation) const -> std::filesystem::path;
    [[nodiscard]] auto has_open_plan() const -> bool;
    auto forget_plans() const -> void;
    static auto delta_refusal(const TableName& name) -> Error;
    auto idle_frame() -> std::optional<Frame>;
    [[nodiscard]] auto patience() const -> Duration;
    auto go_on_behind_invalidate() -> Result<void>;
    auto watch_collections() -> Result<void>;
    auto give_up_stream(const Error& error) -> Error;
    // A position that reaches this commit is wanted as soon as there is one.
    auto wait_for(std::uint64_t commit) -> void;

    const MongoConfig config_;
    const SourceContext context_;
    const TableSelection selection_;
    const std::string database_;  // of the URI; may be empty

    std::vector<TableName> names_;  // what was captured when opened
    std::set<TableName> without_images_;
    std::set<TableName> stale_;  // by their options
    std::string replica_set_;
    std::string deployment_;  // an id of the replica set; empty: we may not ask
    std::atomic<std::uint32_t> lineage_{0};

    std::unique_ptr<ShapeBook> shapes_;
    std::unique_ptr<Decoder> decoder_;
    std::unique_ptr<Receiver> receiver_;
    std::optional<DocumentLookup> lookup_;
    std::uint64_t last_commit_ = 0;  // of what read() has handed out
    std::optional<Duration> gathering_since_;
    Duration position_told_at_{};
    Duration collections_listed_at_{};
    std::atomic<std::uint64_t> head_{0};  // somebody waits for a position that reaches it
    std::optional<Connection> listing_;   // of watch_collections() alone

    Position point_;
    std::unique_ptr<CollectionImages> images_;

    std::optional<Connection> watching_;  // of watch() alone
};

}  // namespace leat::mongodb
