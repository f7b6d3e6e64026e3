// Opening, resuming, removing. Reading is in read.cpp, the snapshot's life in begin.cpp.
#include "source/postgres/postgres_source.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.hpp"
#include "source/postgres/publication.hpp"

namespace leat::postgres {

namespace {

// Sinks compare names without regard to case.
auto refuse_name_clash(const std::vector<TableName>& names) -> Result<void> {
    std::map<std::string, TableName> targets;
    for (const auto& name : names) {
        auto target = target_name(name);
        for (char& c : target)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const auto [at, is_new] = targets.emplace(target, name);
        if (!is_new)
            return Error{Fault::config, "two source tables have one name in the sinks: " +
                             to_string(at->second) + " and " + to_string(name),
                         "Leave one of them out of source.tables, or capture it by another pipeline.",
                         "postgres", Code::pg_table_names};
    }
    return {};
}

}  // namespace

PostgresSource::PostgresSource(const PostgresConfig& config, const SourceContext& context)
    : config_(config),
      context_(context),
      slot_(config.slot.empty() ? default_name(context.pipeline) : config.slot),
      publication_(config.publication.empty() ? default_name(context.pipeline)
                                              : config.publication) {
    for (const auto& table : config.tables) names_.push_back(parse_table_name(table));
}

auto PostgresSource::make(const PostgresConfig& config, const SourceContext& context)
    -> Result<std::unique_ptr<PostgresSource>> {
    CHECK(context.clock != nullptr);
    std::unique_ptr<PostgresSource> made(new PostgresSource(config, context));
    auto names = made->names_;
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
        return Error{Fault::config, "source.tables names a table twice: " + to_string(*twice),
                     "Remove one of them.", "postgres", Code::pg_table_names};
    TRY(refuse_name_clash(names));
    if (names.empty())
        return Error{Fault::config, "source.tables is empty", "Name at least one table.",
                     "postgres", Code::pg_table_names};
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

auto PostgresSource::open(const std::optional<Resume>& resume) -> Result<void> {
    TRY(remove_spill_files(context_.work_dir));
    TRY(prepare(resume.has_value()));
    replication_ = TRY(Connection::connect(options("capture", true)));
    const auto identity = TRY(identify(*replication_, slot_));
    token_ = identity.token();
    if (!resume) return {};
    auto sql = TRY(Connection::connect(options("check")));
    TRY(check_resume(sql, identity, resume->position));
    TRY(check_members(resume->schemas));
    return start(resume->position, resume->schemas);
}

// Checks first, and the publication last: nothing is made when something is wrong.
auto PostgresSource::prepare(bool resuming) -> Result<void> {
    auto sql = TRY(Connection::connect(options("check")));
    const bool has_slot = TRY(find_slot(sql, slot_)).has_value();
    const PreflightRequest request{names_, config_.insert_only, !resuming && !has_slot};
    server_ = TRY(check_server(sql, request));
    tables_ = TRY(check_tables(sql, request));
    return ensure_publication(
        sql, {publication_, !config_.publication.empty(), resuming, config_.insert_only, names_});
}

auto PostgresSource::check_members(const std::vector<SchemaPtr>& schemas) const -> Result<void> {
    for (const auto& name : names_) {
        const bool known = std::any_of(schemas.begin(), schemas.end(),
                                       [&](const auto& schema) { return schema->name == name; });
        if (!known)
            return Error{Fault::config, "table was added to a pipeline that has its image already: " +
                             to_string(name),
                         "Capture it by another pipeline, or run `leat drop FILE`, move the warehouse file "
                         "away and start again.",
                         "postgres", Code::pg_table_added};
    }
    return {};
}

// Binary form is for all columns or none, and some types have none that is read here.
auto PostgresSource::can_be_binary(const std::vector<SchemaPtr>& schemas) const -> Result<bool> {
    if (!config_.binary) return false;
    auto sql = TRY(Connection::connect(options("check")));
    TypeCatalog types;
    for (const auto& table : tables_) {
        for (const auto& column : table.columns) {
            const auto type = TRY(types.resolve(
                sql, {column.type_oid, column.type_modifier, column.dimensions}));
            if (!pgtype::map(type).binary_ok) return false;
            for (const auto& schema : schemas) {
                const int index = schema->name == table.name ? schema->column_index(column.name) : -1;
                if (index < 0) continue;
                const auto mapping =
                    mapping_like(schema->columns[static_cast<std::size_t>(index)], type);
                if (mapping && !mapping->binary_ok) return false;
            }
        }
    }
    return true;
}

auto PostgresSource::start(const Position& from, std::vector<SchemaPtr> schemas) -> Result<void> {
    lineage_ = from.lineage;
    last_commit_ = from.commit;
    const bool binary = TRY(can_be_binary(schemas));
    std::vector<KnownTable> known;
    for (auto& schema : schemas) {
        const auto table = std::find_if(tables_.begin(), tables_.end(), [&](const auto& one) {
            return one.name == schema->name;
        });
        if (table != tables_.end()) known.push_back({std::move(schema), table->oid, table->file_node});
    }
    DecoderOptions decoding;
    decoding.work_dir = context_.work_dir;
    decoding.frame_bytes = config_.frame_bytes.count;
    decoding.part_bytes = 4 * decoding.frame_bytes;
    decoder_ = std::make_unique<Decoder>(Relations(options("catalog"), std::move(known)),
                                         FrameBuilder(from.lineage, token_), std::move(decoding));

    TRY(start_stream(*replication_, {slot_, publication_, Lsn{from.commit}, binary}));
    ReceiverOptions receiving;
    if (server_.sender_timeout.count() > 0)
        receiving.status_interval =
            std::min(receiving.status_interval, server_.sender_timeout / 4);
    receiver_ = std::make_unique<Receiver>(*std::exchange(replication_, std::nullopt),
                                           Lsn{from.commit}, receiving);
    position_told_at_ = context_.clock->steady();
    return {};
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
            return Error{Fault::config, "replication slot is in use: " + slot_ + ", by server process " +
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
