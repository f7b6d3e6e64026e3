// Opening, resuming, removing. Reading is in read.cpp, the snapshot's life in begin.cpp.
#include "source/postgres/postgres_source.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace leat::postgres {

PostgresSource::PostgresSource(const PostgresConfig& config, const SourceContext& context,
                               TableSelection selection)
    : config_(config),
      context_(context),
      slot_(config.slot.empty() ? default_name(context.pipeline) : config.slot),
      publication_(config.publication.empty() ? default_name(context.pipeline)
                                              : config.publication),
      selection_(std::move(selection)) {
    for (const auto& [table, choice] : config.columns)
        if (!choice.exclude.empty())
            excluded_[parse_table_name(table)].insert(choice.exclude.begin(), choice.exclude.end());
}

auto PostgresSource::make(const PostgresConfig& config, const SourceContext& context)
    -> Result<std::unique_ptr<PostgresSource>> {
    CHECK(context.clock != nullptr);
    std::unique_ptr<PostgresSource> made(
        new PostgresSource(config, context, TRY(make_selection(config.tables))));
    if (!is_slot_name(made->slot_))
        return Error{Fault::config, "not a name for a replication slot: " + made->slot_,
                     "Use lower-case letters, digits and underscores.", "postgres",
                     Code::pg_slot_name};
    return made;
}

auto PostgresSource::options(const char* part, bool replication) const -> ConnectOptions {
    return {config_.uri.reveal(), "leat " + context_.pipeline + " " + part, replication,
            std::chrono::ceil<std::chrono::seconds>(config_.connect_timeout)};
}

auto PostgresSource::open(const std::optional<Resume>& resume) -> Result<Opened> {
    TRY(remove_spill_files(context_.work_dir));
    TRY(prepare(resume.has_value()));
    replication_ = TRY(Connection::connect(options("capture", true)));
    const auto identity = TRY(identify(*replication_, slot_));
    token_ = identity.token();
    Opened opened{{names_.begin(), names_.end()}, std::nullopt};
    auto sql = TRY(Connection::connect(options("check")));
    if (!resume) {
        TRY(publish(sql, false));
        return opened;
    }
    opened.gap = TRY(find_gap(sql, identity, *resume));
    if (opened.gap) return opened;
    if (config_.failover && !TRY(find_slot(sql, slot_)).value_or(SlotState{}).failover)
        TRY(make_failover(*replication_, slot_));
    membership_ = TRY(ask_membership(sql, {}));
    TRY(start(*resume));
    return opened;
}

auto PostgresSource::stale() const -> std::set<TableName> {
    auto tables = stale_;
    if (decoder_) tables.insert(decoder_->stale().begin(), decoder_->stale().end());
    return tables;
}

// Whether changes behind the position are lost for good.
auto PostgresSource::find_gap(Connection& sql, const SlotIdentity& identity, const Resume& resume)
    -> Result<std::optional<Error>> {
    auto checked = check_resume({sql, *replication_}, identity, resume.position);
    if (checked) checked = compare_membership(sql, resume.schemas);
    if (checked) checked = publish(sql, true);
    if (checked) return std::optional<Error>();
    if (checked.error().fault == Fault::fatal) return std::optional(std::move(checked).error());
    return std::move(checked).error();
}

auto PostgresSource::select_tables(Connection& sql) const -> Result<SelectedTables> {
    auto selected = TRY(selection_.choose(TRY(list_capturable(sql))));
    TRY(selection_.refuse_name_clash(selected.tables));
    return selected;
}

auto PostgresSource::prepare(bool resuming) -> Result<void> {
    auto sql = TRY(Connection::connect(options("check")));
    names_ = TRY(select_tables(sql)).tables;
    const bool has_slot = TRY(find_slot(sql, slot_)).has_value();
    const PreflightRequest request{names_, excluded_, config_.insert_only, !resuming && !has_slot,
                                   config_.failover};
    auto checked = check_server(sql, request);
    // In a failover it may be promoted any moment.
    if (!checked && resuming && checked.error().code == Code::pg_standby)
        checked.error().fault = Fault::retry;
    server_ = TRY(std::move(checked));
    tables_ = TRY(check_tables(sql, request));
    return {};
}

auto PostgresSource::publication_of(const std::vector<TableName>& names,
                                    const std::vector<CatalogTable>& tables) const
    -> PublicationRequest {
    PublicationRequest request;
    request.name = publication_;
    request.users_own = !config_.publication.empty();
    request.insert_only = config_.insert_only;
    request.tables = names;
    request.excluded = excluded_;
    for (const auto& table : tables) {
        if (table.is_partitioned()) request.has_roots = true;
        if (!excluded_.contains(table.name)) continue;
        auto& columns = request.columns[table.name];
        for (const auto& column : table.columns) columns.push_back(column.name);
    }
    return request;
}

auto PostgresSource::publish(Connection& sql, bool must_exist) -> Result<void> {
    auto wanted = publication_of(names_, tables_);
    wanted.must_exist = must_exist;
    wanted.is_begun = must_exist;
    return ensure_publication(sql, wanted);
}

// Binary form is for all columns or none, and some types have none that is read here.
auto PostgresSource::can_be_binary(const std::vector<SchemaPtr>& schemas) const -> Result<bool> {
    // What does not fit is found by reading its text.
    if (!config_.binary || is_discarding(config_.on_schema_change)) return false;
    auto sql = TRY(Connection::connect(options("check")));
    TypeCatalog types;
    for (const auto& table : tables_) {
        for (const auto& column : table.columns) {
            const auto type =
                TRY(types.resolve(sql, {column.type_oid, column.type_modifier, column.dimensions}));
            if (!pgtype::map(type).binary_ok) return false;
            for (const auto& schema : schemas) {
                if (schema->name != table.name) continue;
                const auto known =
                    std::find_if(schema->columns.begin(), schema->columns.end(),
                                 [&](const auto& one) { return one.id == column.number; });
                if (known == schema->columns.end()) continue;
                const auto mapping = mapping_like(*known, type);
                if (mapping && !mapping->binary_ok) return false;
            }
        }
    }
    return true;
}

auto PostgresSource::start(const Resume& resume) -> Result<void> {
    const auto& from = resume.position;
    lineage_ = from.lineage;
    last_commit_ = from.commit;
    const bool binary = TRY(can_be_binary(resume.schemas));
    auto known = TRY(known_tables(resume));
    DecoderOptions decoding;
    decoding.work_dir = context_.work_dir;
    decoding.frame_bytes = config_.frame_bytes.count;
    decoding.part_bytes = 4 * decoding.frame_bytes;
    decoder_ = std::make_unique<Decoder>(
        Relations({options("catalog"), config_.on_schema_change}, std::move(known)),
        FrameBuilder(from.lineage, token_), std::move(decoding));

    TRY(start_stream(*replication_, {slot_, publication_, Lsn{from.commit}, binary}));
    ReceiverOptions receiving;
    if (server_.sender_timeout.count() > 0)
        receiving.status_interval = std::min(receiving.status_interval, server_.sender_timeout / 4);
    receiver_ = std::make_unique<Receiver>(*std::exchange(replication_, std::nullopt),
                                           Lsn{from.commit}, receiving);
    position_told_at_ = membership_asked_at_ = context_.clock->steady();
    return {};
}

// Tables that are new to the stream are as the catalog says, from now on: what was committed before
// is in any image that is taken of them.
auto PostgresSource::known_tables(const Resume& resume) -> Result<std::vector<KnownTable>> {
    const auto& schemas = resume.schemas;
    auto sql = TRY(Connection::connect(options("check")));
    const auto now = TRY(sql.query("SELECT pg_current_wal_insert_lsn()"));
    const auto from = TRY(parse_lsn(now.text(0, 0))).value;
    const auto text_columns = TRY(read_text_columns(text_columns_file()));
    TypeCatalog types;
    std::vector<KnownTable> known;
    for (auto& table : tables_) {
        const auto schema = std::find_if(schemas.begin(), schemas.end(),
                                         [&](const auto& one) { return one->name == table.name; });
        if (schema != schemas.end()) {
            const auto image = resume.images.find(table.name);
            const auto useless = image == resume.images.end() ? 0 : image->second.commit;
            known.push_back({*schema, table.oid, table.file_node, useless, table.generated,
                             excluded_.contains(table.name)});
            continue;
        }
        auto found = TRY(load_table(sql, table.name));
        if (!found)
            return Error{Fault::retry, "table was dropped just now: " + to_string(table.name), "",
                         "postgres"};
        table = *std::move(found);
        const auto layout =
            TRY(layout_of(table, sql, types, text_columns, {config_.insert_only, 0}));
        known.push_back({layout.schema, table.oid, table.file_node, from, table.generated,
                         excluded_.contains(table.name)});
    }
    return known;
}

auto PostgresSource::text_columns_file() const -> std::filesystem::path {
    return context_.work_dir / "text_columns";
}

auto PostgresSource::position_at(Lsn lsn) const -> Position {
    return {lineage_.load(), lsn.value, 0, token_};
}

auto PostgresSource::remove() -> Result<std::vector<std::string>> {
    auto sql = TRY(Connection::connect(options("drop")));
    std::vector<std::string> removed;
    if (const auto slot = TRY(find_slot(sql, slot_))) {
        const auto database = TRY(sql.query("SELECT current_database()"));
        if (slot->plugin != "pgoutput" || slot->database != database.text(0, 0))
            return Error{Fault::config, "replication slot is not this pipeline's: " + slot_,
                         "Correct source.slot; nothing was removed.", "postgres slot",
                         Code::pg_slot_foreign};
        if (slot->active)
            return Error{Fault::config,
                         "replication slot is in use: " + slot_ + ", by server process " +
                             std::to_string(slot->active_pid),
                         "Stop the pipeline first; nothing was removed.", "postgres slot",
                         Code::pg_slot_in_use};
        TRY(drop_slot(sql, slot_));
        removed.push_back("replication slot " + slot_);
    }
    if (config_.publication.empty() && TRY(drop_publication(sql, publication_)))
        removed.push_back("publication " + publication_);
    return removed;
}

}  // namespace leat::postgres
