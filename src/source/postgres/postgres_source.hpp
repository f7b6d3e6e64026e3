// PostgresSource: logical replication of a PostgreSQL database as a Source with Snapshots. Puts the
// parts of this folder together; README.md walks through them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/finding.hpp"
#include "source/postgres/capturable.hpp"
#include "source/postgres/catalog.hpp"
#include "source/postgres/client.hpp"
#include "source/postgres/config.hpp"
#include "source/postgres/decoder.hpp"
#include "source/postgres/lookup.hpp"
#include "source/postgres/membership.hpp"
#include "source/postgres/preflight.hpp"
#include "source/postgres/publication.hpp"
#include "source/postgres/receiver.hpp"
#include "source/postgres/slot.hpp"
#include "source/postgres/snapshot.hpp"
#include "source/source.hpp"
#include "source/table_selection.hpp"
#include "source/vitals.hpp"

namespace leat::postgres {

class PostgresSource final : public Source,
                             public Snapshots,
                             public Lookups,
                             public Describable,
                             public Removable,
                             public Watchable,
                             public Checkable {
public:
    static auto make(const PostgresConfig& config, const SourceContext& context)
        -> Result<std::unique_ptr<PostgresSource>>;

    auto open(const std::optional<Resume>& resume) -> Result<Opened> override;
    auto read(const std::stop_token& stop) -> Result<Frame> override;
    auto confirm(const Durable& durable) -> Result<void> override;
    auto head() -> Result<Position> override;

    auto begin(const SnapshotRequest& request) -> Result<Position> override;
    auto chunks() -> Result<std::vector<Chunk>> override;
    auto read_chunk(const Chunk& chunk, std::size_t worker, const BatchReceiver& receive,
                    const std::stop_token& stop) -> Result<void> override;
    auto end() -> Result<Position> override;
    [[nodiscard]] auto stale() const -> std::set<TableName> override;

    [[nodiscard]] auto may_be_partial(const TableName& name) const -> bool override;
    [[nodiscard]] auto may_lack(const Column& column) const -> bool override;
    [[nodiscard]] auto must_be_whole(const TableName& name) const -> bool override;
    auto complete(const Batch& batch, const std::stop_token& stop) -> Result<Completed> override;

    auto describe_tables() -> Result<std::vector<DescribedTable>> override;
    auto remove() -> Result<std::vector<std::string>> override;

    auto watch(const std::optional<Position>& durable, const std::stop_token& stop)
        -> Result<SourceVitals> override;
    static auto vital_infos() -> std::vector<VitalInfo>;

    auto check() -> Result<std::vector<Finding>> override;

private:
    PostgresSource(const PostgresConfig& config, const SourceContext& context,
                   TableSelection selection);

    [[nodiscard]] auto options(const char* part, bool replication = false) const -> ConnectOptions;
    auto select_tables(Connection& sql) const -> Result<SelectedTables>;
    [[nodiscard]] auto publication_of(const std::vector<TableName>& names,
                                      const std::vector<CatalogTable>& tables) const
        -> PublicationRequest;
    auto prepare(bool resuming) -> Result<void>;
    auto publish(Connection& sql, bool must_exist) -> Result<void>;
    auto find_gap(Connection& sql, const SlotIdentity& identity, const Resume& resume)
        -> Result<std::optional<Error>>;
    auto ask_membership(Connection& sql, const std::stop_token& stop) -> Result<Membership>;
    auto note_membership(Membership membership) -> Result<void>;
    auto compare_membership(Connection& sql, const std::vector<SchemaPtr>& schemas) -> Result<void>;
    auto watch_membership(const std::stop_token& stop) -> Result<void>;
    auto begin_stream(const SnapshotRequest& request) -> Result<void>;
    auto begin_image(const SnapshotRequest& request) -> Result<void>;
    auto take_images(const SnapshotRequest& request, std::string snapshot) -> Result<void>;
    auto make_way_for_slot(const SnapshotRequest& request) -> Result<void>;
    auto create_slot_patiently(Connection& replication, const NewSlot& slot,
                               const std::stop_token& stop) -> Result<CreatedSlot>;
    auto can_be_binary(const std::vector<SchemaPtr>& schemas) const -> Result<bool>;
    auto start(const Resume& resume) -> Result<void>;
    auto known_tables(const Resume& resume) -> Result<std::vector<KnownTable>>;
    [[nodiscard]] auto text_columns_file() const -> std::filesystem::path;
    [[nodiscard]] auto membership_file() const -> std::filesystem::path;
    auto position_at(Lsn lsn) const -> Position;
    auto idle_frame() -> std::optional<Frame>;
    auto patience() const -> Duration;

    const PostgresConfig config_;
    const SourceContext context_;
    const std::string slot_;
    const std::string publication_;
    const TableSelection selection_;
    ExcludedColumns excluded_;

    std::vector<TableName> names_;      // what it meant when opened
    std::vector<CatalogTable> tables_;  // as found then
    std::set<TableName> stale_;
    ServerFacts server_;
    std::optional<Connection> replication_;  // until it streams
    std::string token_;
    std::atomic<std::uint32_t> lineage_{0};

    std::unique_ptr<Decoder> decoder_;
    std::unique_ptr<Receiver> receiver_;
    std::uint64_t last_commit_ = 0;  // of what read() has handed out
    std::optional<Duration> gathering_since_;
    Duration position_told_at_{};
    std::atomic<std::uint64_t> head_{0};

    Membership membership_;  // as it was when last looked at
    bool is_noted_ = false;
    Duration membership_asked_at_{};
    std::optional<Connection> asking_;  // of watch_membership() alone

    Position point_;
    std::unique_ptr<TableImages> images_;

    std::optional<RowLookup> lookup_;

    std::optional<Connection> watching_;  // of watch() alone
};

}  // namespace leat::postgres
