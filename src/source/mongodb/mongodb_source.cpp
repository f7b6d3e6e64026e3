// Opening and resuming. Reading is in read.cpp, images in begin.cpp.
#include "source/mongodb/mongodb_source.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "source/mongodb/event.hpp"
#include "source/mongodb/hex.hpp"
#include "source/mongodb/note_file.hpp"
#include "source/mongodb/oplog.hpp"
#include "source/mongodb/server_error.hpp"

namespace leat::mongodb {

namespace {

constexpr auto start_anew =
    "Set run.on_gap: resnapshot to have all collections read anew, or run `leat drop FILE` and "
    "start again.";

auto shapes_file(const SourceContext& context) -> std::filesystem::path {
    return context.work_dir / "shapes";
}

// What Position::token of this source is made of.
struct TokenParts {
    std::string replica_set;
    std::string deployment;
    std::string resume;  // a document; empty: the stream begins at the position's own time
    std::int64_t collections = 0;  // which ones the stream was of, as a number
};

auto parse_token(const std::string& token) -> TokenParts {
    TokenParts parts;
    if (bson::document_length(token) != token.size()) return parts;
    if (const auto set = bson::find(token, "set"); set && set->type == bson::Type::string)
        parts.replica_set = bson::as_text(*set);
    if (const auto id = bson::find(token, "id"); id && id->type == bson::Type::string)
        parts.deployment = bson::as_text(*id);
    if (const auto of = bson::find(token, "of"))
        parts.collections = bson::whole_number(*of).value_or(0);
    if (const auto resume = bson::find(token, "resume");
        resume && resume->type == bson::Type::document)
        parts.resume = bson::as_document(*resume);
    return parts;
}

// The same for the same collections, on every machine: FNV-1a.
auto number_of(const std::vector<TableName>& names) -> std::int64_t {
    constexpr std::uint64_t basis = 0xcbf29ce484222325;
    constexpr std::uint64_t prime = 0x100000001b3;
    std::uint64_t number = basis;
    for (const auto& name : std::set<TableName>(names.begin(), names.end()))
        for (const auto c : to_string(name) + '\0')
            number = (number ^ static_cast<unsigned char>(c)) * prime;
    return static_cast<std::int64_t>(number);
}

// The first batch comes with the opening, so what else ends a stream may end it there.
auto is_gap(const Error& error) -> bool {
    return error.code == Code::mongo_history_lost || error.code == Code::mongo_token ||
           error.code == Code::mongo_event_too_large || server_code(error) == code_stream_fatal;
}

auto went_back() -> Error {
    return {Fault::fatal,
            "server went back in time (restored from a backup, or an election lost what "
            "was written without majority)",
            start_anew, "mongodb", Code::mongo_went_back};
}

auto refusal(std::string what, std::string hint) -> Error {
    return {Fault::config, std::move(what), std::move(hint), "mongodb",
            Code::mongo_collection_names};
}

// A name there that no captured collection can have would let through what it excludes.
auto check_columns(const MongoConfig& config, const TableSelection& selection,
                   const std::string& database) -> Result<void> {
    const auto& patterns = selection.patterns();
    for (const auto& [name, choice] : config.columns) {
        const auto& exclude = choice.exclude;
        if (std::find(exclude.begin(), exclude.end(), key_field) != exclude.end())
            return refusal("source.columns." + name + " excludes _id",
                           "Keep it: it is the key of the table.");
        const auto table = parse_collection_name(name, database);
        const auto is_meant = [&](const TablePattern& pattern) {
            return !pattern.is_exclusion && pattern.matches(table);
        };
        if (std::none_of(patterns.begin(), patterns.end(), is_meant))
            return refusal("source.columns names a collection that is not captured: " + name,
                           "Correct the name, or add it to source.collections.");
    }
    return {};
}

}  // namespace

MongoSource::MongoSource(const MongoConfig& config, const SourceContext& context,
                         TableSelection selection, std::string database)
    : config_(config),
      context_(context),
      selection_(std::move(selection)),
      database_(std::move(database)) {}

auto MongoSource::make(const MongoConfig& config, const SourceContext& context)
    -> Result<std::unique_ptr<MongoSource>> {
    CHECK(context.clock != nullptr);
    auto database = TRY(database_of(config.uri.reveal()));
    SelectionTerms terms;
    terms.list = "source.collections";
    terms.form = "database.collection, or as collection where source.uri names the database";
    terms.kind = "collection";
    terms.code = Code::mongo_collection_names;
    terms.context = "mongodb";
    terms.parse = [database](std::string_view text) {
        return parse_collection_name(text, database);
    };
    terms.may_lack_schema = !database.empty();
    auto selection = TRY(TableSelection::make(config.collections, terms));
    TRY(check_columns(config, selection, database));
    return std::unique_ptr<MongoSource>(
        new MongoSource(config, context, std::move(selection), std::move(database)));
}

auto MongoSource::options(const char* part) const -> ConnectOptions {
    return {config_.uri.reveal(), "leat " + context_.pipeline + " " + part,
            std::chrono::ceil<std::chrono::milliseconds>(Duration(config_.connect_timeout))};
}

auto MongoSource::brisk(const char* part) const -> ConnectOptions {
    constexpr int connects = 3;
    auto quick = options(part);
    quick.answer = connects * quick.timeout;
    return quick;
}

auto MongoSource::row_rules() const -> RowRules {
    RowRules rules{config_.on_conflict, config_.nulls};
    for (const auto& [name, choice] : config_.columns)
        rules.excluded[parse_collection_name(name, database_)].insert(choice.exclude.begin(),
                                                                      choice.exclude.end());
    return rules;
}

auto MongoSource::shape_rules() const -> ShapeRules {
    ShapeRules rules;
    rules.mode = config_.mode;
    rules.columns_max = static_cast<std::size_t>(config_.columns_max);
    rules.always_extra = config_.on_conflict == OnConflict::variant;
    for (const auto& [name, choice] : config_.columns) {
        const auto table = parse_collection_name(name, database_);
        rules.declared[table] = choice.types;
        auto& definition = rules.definitions[table];
        for (const auto& field :
             std::set<std::string>(choice.exclude.begin(), choice.exclude.end()))
            definition += "-" + field + "\n";
    }
    return rules;
}

auto MongoSource::named(const TableName& table) const -> ImagedCollection {
    return {table, database_of(table, database_), table.table};
}

auto MongoSource::check_server(const Connection& connection) const -> Result<void> {
    const auto& facts = connection.facts();
    if (!facts.is_at_least(5, 0))
        return Error{Fault::config,
                     "server is older than MongoDB 5.0: " + std::to_string(facts.version_major) +
                         "." + std::to_string(facts.version_minor),
                     "Upgrade it.", "mongodb", Code::mongo_version};
    if (facts.replica_set.empty() && !facts.is_router)
        return Error{Fault::config,
                     "server is not a member of a replica set, so it has no change "
                     "stream",
                     "Start it with --replSet rs0, then run rs.initiate() in its shell.", "mongodb",
                     Code::mongo_standalone};
    return {};
}

// The replica set's own id, where this user may ask for it: names of sets are mostly alike.
auto MongoSource::identify(Connection& connection) -> Result<void> {
    replica_set_ = connection.facts().replica_set;
    const auto reply = connection.command("admin", Document().add("replSetGetConfig", 1));
    if (!reply) {
        const auto& error = reply.error();
        if (error.fault == Fault::retry) return error;
        return {};
    }
    const auto config = reply->document("config");
    const auto settings = bson::find(config, "settings");
    if (!settings || settings->type != bson::Type::document) return {};
    const auto id = bson::find(bson::as_document(*settings), "replicaSetId");
    if (id && id->type == bson::Type::object_id) deployment_ = hex_of(bson::as_object_id(*id));
    return {};
}

auto MongoSource::token_of(std::string_view resume_token) const -> std::string {
    Document token;
    token.add("set", replica_set_);
    if (!deployment_.empty()) token.add("id", deployment_);
    token.add("of", number_of(names_));
    if (!resume_token.empty()) token.add("resume", Document(resume_token));
    return std::string(token.bytes());
}

auto MongoSource::position_at(std::uint64_t commit, std::string_view resume_token) const
    -> Position {
    return {lineage_.load(), commit, 0, token_of(resume_token)};
}

auto MongoSource::list(Connection& connection) const -> Result<std::vector<CatalogCollection>> {
    std::set<std::string> databases;
    bool needs_all = false;
    for (const auto& pattern : selection_.patterns()) {
        const auto database = database_of(pattern.name, database_);
        if (database.find('*') == std::string::npos) databases.insert(database);
        else needs_all = true;
    }
    if (needs_all)
        for (auto& name : TRY(list_databases(connection))) databases.insert(std::move(name));
    return list_collections(connection, {databases.begin(), databases.end()}, database_);
}

auto MongoSource::select(Connection& connection, const std::set<TableName>& known)
    -> Result<std::vector<TableName>> {
    const auto collections = TRY(list(connection));
    std::vector<SelectableTable> there;
    std::set<TableName> found;
    without_images_.clear();
    for (const auto& one : collections) {
        found.insert(one.name);
        if (one.type != "collection") {
            if (selection_.names(one.name))
                return Error{Fault::config,
                             "not a collection but a " + one.type + ": " + to_string(one.name),
                             one.type == "view" ? "Capture the collections it is made of."
                                                : "Leave it out: its changes cannot be followed.",
                             "mongodb", Code::mongo_collection_kind};
            continue;
        }
        there.push_back({one.name});
        if (!one.has_images) without_images_.insert(one.name);
    }
    for (const auto& name : known)
        if (!found.contains(name)) there.push_back({name});
    const auto selected = TRY(selection_.choose(there)).tables;
    // One that was followed before may be gone for the moment, and come again.
    const auto was_known = [&](const TableName& name) {
        return known.contains(name) || (shapes_ && shapes_->is_noted(name));
    };
    for (const auto& name : selected)
        if (!found.contains(name) && !was_known(name))
            return Error{Fault::config, "no such collection: " + to_string(name),
                         "Correct source.collections, or create it: db.createCollection(\"" +
                             name.table + "\") in the shell.",
                         "mongodb", Code::mongo_collection_missing};
    TRY(selection_.refuse_name_clash(selected));
    return selected;
}

auto MongoSource::open(const std::optional<Resume>& resume) -> Result<Opened> {
    auto connection = TRY(Connection::connect(options("capture")));
    TRY(check_server(connection));
    TRY(identify(connection));
    shapes_ = TRY(ShapeBook::open(shapes_file(context_), shape_rules()));
    names_ = TRY(select(connection, resume ? resume->tables : std::set<TableName>()));
    Opened opened{{names_.begin(), names_.end()}, std::nullopt};
    if (!resume) {
        for (const auto& name : names_) shapes_->begin_table(name);
        return opened;
    }
    shapes_->adopt(resume->schemas);
    TRY(compare_definitions(*resume));
    opened.gap = TRY(find_gap(*resume, connection));
    if (opened.gap) return opened;
    // The server looks for the change that the token is of, and does not find one of a collection
    // that is no longer captured; the time does as well.
    const auto was = parse_token(resume->position.token);
    const bool is_same = was.collections == number_of(names_);
    const Start from{
        resume->position, {is_same ? was.resume : "", {}}, resume->tables, resume->images};
    auto started = start(from, std::move(connection));
    if (!started && is_gap(started.error())) {
        opened.gap = started.error();
        return opened;
    }
    TRY(started);
    return opened;
}

// Tables whose documents would now become other rows than those that sinks hold are stale.
auto MongoSource::compare_definitions(const Resume& resume) -> Result<void> {
    for (const auto& name : names_) {
        if (!resume.tables.contains(name)) shapes_->begin_table(name);
        else if (!shapes_->is_current(name)) stale_.insert(name);
        // What was declared since.
        else if (shapes_->find(name)) shapes_->widen(name, {});
    }
    if (stale_.empty()) return {};
    return Error{
        Fault::retry,
        "options of a collection have changed, it is read anew: " + to_string(*stale_.begin()), "",
        "mongodb"};
}

// Whether changes behind the position are lost, as far as can be told without asking the stream.
auto MongoSource::find_gap(const Resume& resume, Connection& connection)
    -> Result<std::optional<Error>> {
    const auto was = parse_token(resume.position.token);
    const bool is_other =
        was.replica_set != replica_set_ ||
        (!was.deployment.empty() && !deployment_.empty() && was.deployment != deployment_);
    if (is_other)
        return std::optional(
            Error{Fault::fatal,
                  "this is another deployment: replica set " + replica_set_ + " " + deployment_ +
                      ", not " + was.replica_set + " " + was.deployment,
                  std::string("Correct source.uri; or, if it is meant: ") + start_anew, "mongodb",
                  Code::mongo_other_deployment});
    // A secondary may just be behind.
    if (connection.facts().is_primary &&
        to_commit(connection.operation_time()) < resume.position.commit)
        return std::optional(went_back());
    // A server that was restored has gone on since, and to the stream a position is mostly a mere
    // time: whether this time was is known to the oplog alone.
    if (!connection.facts().is_router && TRY(lacks_entry(connection, resume.position.commit)))
        return std::optional(went_back());
    const auto given_up = TRY(read_note(context_.work_dir / "given_up"));
    if (!given_up) return std::optional<Error>();
    const auto place = bson::find(*given_up, "position");
    if (!place || bson::whole_number(*place) != static_cast<std::int64_t>(resume.position.commit))
        return std::optional<Error>();
    const auto why = bson::find(*given_up, "why");
    const auto is_large = bson::find(*given_up, "is_too_large");
    return std::optional(Error{Fault::fatal,
                               why ? std::string(bson::as_text(*why)) : "the stream cannot go on",
                               start_anew, "mongodb",
                               is_large && bson::as_boolean(*is_large) ? Code::mongo_event_too_large
                                                                       : Code::mongo_stream});
}

auto MongoSource::stream_request(StreamStart start) const -> StreamRequest {
    std::map<std::string, ArrayBuilder> by_database;
    for (const auto& name : names_) by_database[database_of(name, database_)].add(name.table);
    ArrayBuilder either;
    for (const char* const side : {"ns", "to"})
        for (const auto& [database, collections] : by_database)
            either.add(Document()
                           .add(std::string(side) + ".db", database)
                           .add(std::string(side) + ".coll",
                                Document().add_array("$in", collections.items())));
    either.add(Document().add("operationType", "invalidate"));
    StreamRequest request;
    if (by_database.size() == 1) request.database = by_database.begin()->first;
    request.match.add_array("$or", either.items());
    request.start = std::move(start);
    return request;
}

auto MongoSource::open_stream(Connection connection, StreamStart start) -> Result<ChangeStream> {
    return ChangeStream::open(std::move(connection), stream_request(std::move(start)));
}

auto MongoSource::start(const Start& start, Connection connection) -> Result<void> {
    const auto now = to_commit(connection.operation_time());
    lineage_ = start.position.lineage;
    last_commit_ = start.position.commit;
    auto from = start.stream;
    const bool is_timed = from.token.empty();
    if (is_timed) from.time = to_timestamp(start.position.commit);
    auto stream = TRY(open_stream(std::move(connection), std::move(from)));
    FrameOptions framing;
    framing.lineage = start.position.lineage;
    framing.frame_bytes = config_.frame_bytes.count;
    framing.token_of = [this](std::string_view token) { return token_of(token); };
    FrameBuilder frames(std::move(framing), *shapes_, row_rules());
    frames.goes_on_from(start.position);
    DecoderOptions decoding;
    decoding.update_mode = config_.update_mode;
    decoding.floor = is_timed ? start.position.commit : 0;
    for (const auto& name : names_) {
        const auto image = start.images.find(name);
        const bool has_image =
            image != start.images.end() && image->second.lineage == start.position.lineage;
        const auto known = !start.carried.contains(name) ? now
                           : has_image                   ? image->second.commit
                                                         : 0;
        decoding.collections.push_back({name, database_of(name, database_), name.table, known});
    }
    lookup_.emplace(brisk("lookup"));
    decoding.look_up = [this](const LookupRequest& request) { return lookup_->fetch(request); };
    decoder_ = std::make_unique<Decoder>(std::move(decoding), std::move(frames));
    // An image that was under way may have been read up to now, or is read on.
    decoder_->write_whole_until(has_open_plan() ? for_ever : now);
    receive(std::move(stream));
    position_told_at_ = collections_listed_at_ = context_.clock->steady();
    return {};
}

auto MongoSource::receive(ChangeStream stream) -> void {
    receiver_ = std::make_unique<
        Receiver>(std::move(stream), [this](std::string_view token) -> Result<ChangeStream> {
        return open_stream(TRY(Connection::connect(brisk("capture"))), {std::string(token), {}});
    });
}

auto MongoSource::stale() const -> std::set<TableName> {
    auto tables = stale_;
    if (decoder_) tables.insert(decoder_->stale().begin(), decoder_->stale().end());
    return tables;
}

}  // namespace leat::mongodb
