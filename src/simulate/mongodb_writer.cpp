// Changes into MongoDB: ordered bulk writes of raw BSON, one a collection; inside a transaction of
// its own where one is asked for.
#include <fmt/core.h>

#include <map>

#include "simulate/bson_document.hpp"
#include "simulate/mongodb_client.hpp"
#include "simulate/writer.hpp"

namespace leat::simulate {

namespace {

constexpr int attempts_max = 5;  // of a transaction that meets another one

constexpr auto is_of_collection(Kind kind) -> bool {
    return kind == Kind::drop || kind == Kind::rename || kind == Kind::exchange ||
           kind == Kind::alter;
}

class MongodbWriter final : public Writer {
public:
    MongodbWriter(MongoConnection connection, std::vector<Table> tables)
        : client_(std::move(connection.client)),
          database_(mongoc_client_get_database(client_.get(), connection.database.c_str()),
                    &mongoc_database_destroy),
          tables_(std::move(tables)),
          post_images_(connection.post_images) {}

    auto prepare() -> Result<std::vector<Keys>> override;
    auto load(const std::vector<Change>& rows) -> Result<void> override;
    auto apply(std::span<const Transaction> transactions, Counts& counts) -> Result<void> override;

private:
    using Tally = std::vector<TableChanges>;

    // One bulk and what was put into it.
    struct Bulk {
        MongoBulk operations;
        std::int64_t replaces = 0;
    };

    auto apply_one(const Transaction& transaction, Counts& counts) -> Result<void>;
    auto prepare_table(const Table& table) -> Result<Keys>;
    auto marked(const std::string& name) -> Result<std::optional<bool>>;
    auto make(const Table& table) -> Result<void>;
    auto set_options(const Table& table) -> Result<void>;
    [[nodiscard]] auto options_of(const Table& table) const -> Document;
    auto command(const Document& command, const std::string& doing) -> Result<void>;
    auto insert(const std::string& name, const std::vector<Document>& documents) -> Result<void>;
    auto drop(const std::string& name) -> Result<void>;
    auto rename(const std::string& from, const std::string& name) -> Result<void>;
    auto keys_of(const std::string& name) -> Result<Keys>;
    auto collection(const std::string& name) -> MongoCollection;
    auto write(const Transaction& transaction, mongoc_client_session_t* session, Tally& tally)
        -> Result<void>;
    auto write_in_session(const Transaction& transaction, Tally& tally) -> Result<void>;
    auto new_bulk(std::size_t table, mongoc_client_session_t* session) -> Result<Bulk>;
    static auto add(Bulk& bulk, const Change& change) -> Result<void>;
    static auto execute(Bulk& bulk, TableChanges& tally) -> Result<void>;
    auto flush(std::map<std::size_t, Bulk>& bulks, Tally& tally) -> Result<void>;
    auto change_collection(const Change& change, Tally& tally) -> Result<void>;
    auto switch_images(const Change& change) -> Result<void>;
    auto move_away(const Change& change) -> Result<void>;

    MongoClient client_;
    MongoDatabase database_;
    const std::vector<Table> tables_;
    const bool post_images_;  // the server knows of them
    bool is_used_ = false;    // a simulation has been here before
};

auto MongodbWriter::collection(const std::string& name) -> MongoCollection {
    return {mongoc_database_get_collection(database_.get(), name.c_str()),
            &mongoc_collection_destroy};
}

auto MongodbWriter::prepare() -> Result<std::vector<Keys>> {
    std::vector<Keys> keys;
    is_used_ = TRY(marked(tables_.front().name)) == true;
    for (const auto& table : tables_) keys.push_back(TRY(prepare_table(table)));
    return keys;
}

// A crash may have come between a document that made a collection of the mix anew and its mark.
auto MongodbWriter::prepare_table(const Table& table) -> Result<Keys> {
    const auto ours = TRY(marked(table.name));
    if (!ours) {
        TRY(make(table));
        TRY(insert(table.name, table.first_documents));
    } else if (!*ours && is_used_ && table.row == nullptr) {
        TRY(set_options(table));
    } else if (!*ours) {
        return foreign_table(table.name);
    } else if (table.row != nullptr) {
        return keys_of(table.name);
    }
    return Keys();
}

// Whether the collection, if there is one, is a simulation's: its validator says so.
auto MongodbWriter::marked(const std::string& name) -> Result<std::optional<bool>> {
    const auto options = bson_of({{"filter", value(Document{{"name", text(name)}})}});
    const MongoCursor found(
        mongoc_database_find_collections_with_opts(database_.get(), options.get()),
        &mongoc_cursor_destroy);
    const bson_t* document = nullptr;
    std::optional<bool> ours;
    while (mongoc_cursor_next(found.get(), &document)) {
        bson_iter_t from;
        bson_iter_t at;
        ours = bson_iter_init(&from, document) &&
               bson_iter_find_descendant(&from, "options.validator.$comment", &at) &&
               BSON_ITER_HOLDS_UTF8(&at) && bson_iter_utf8(&at, nullptr) == mark;
    }
    bson_error_t error;
    if (mongoc_cursor_error(found.get(), &error)) return mongodb_error(error, "listCollections");
    return ours;
}

// The mark, and post images where they are wanted and known.
auto MongodbWriter::options_of(const Table& table) const -> Document {
    Document options = {{"validator", value(Document{{"$comment", text(std::string(mark))}})}};
    if (post_images_)
        options.push_back({"changeStreamPreAndPostImages",
                           value(Document{{"enabled", value(table.post_images)}})});
    return options;
}

auto MongodbWriter::make(const Table& table) -> Result<void> {
    bson_error_t error;
    const MongoCollection made(
        mongoc_database_create_collection(database_.get(), table.name.c_str(),
                                          bson_of(options_of(table)).get(), &error),
        &mongoc_collection_destroy);
    if (made == nullptr) return mongodb_error(error, "create " + table.name);
    return {};
}

// Of one that was made without them, or has another's.
auto MongodbWriter::set_options(const Table& table) -> Result<void> {
    Document modification = {{"collMod", text(table.name)}};
    for (auto& option : options_of(table)) modification.push_back(std::move(option));
    return command(modification, "collMod " + table.name);
}

auto MongodbWriter::command(const Document& command, const std::string& doing) -> Result<void> {
    bson_error_t error;
    if (!mongoc_database_write_command_with_opts(database_.get(), bson_of(command).get(), nullptr,
                                                 nullptr, &error))
        return mongodb_error(error, doing);
    return {};
}

auto MongodbWriter::insert(const std::string& name, const std::vector<Document>& documents)
    -> Result<void> {
    if (documents.empty()) return {};
    const MongoBulk inserts(
        mongoc_collection_create_bulk_operation_with_opts(collection(name).get(), nullptr),
        &mongoc_bulk_operation_destroy);
    for (const auto& document : documents)
        mongoc_bulk_operation_insert(inserts.get(), bson_of(document).get());
    bson_error_t error;
    if (mongoc_bulk_operation_execute(inserts.get(), nullptr, &error) == 0)
        return mongodb_error(error, "insert into " + name);
    return {};
}

auto MongodbWriter::drop(const std::string& name) -> Result<void> {
    bson_error_t error;
    if (!mongoc_collection_drop(collection(name).get(), &error))
        return mongodb_error(error, "drop " + name);
    return {};
}

// In place of what has the name already.
auto MongodbWriter::rename(const std::string& from, const std::string& name) -> Result<void> {
    bson_error_t error;
    if (!mongoc_collection_rename(collection(from).get(), mongoc_database_get_name(database_.get()),
                                  name.c_str(), true, &error))
        return mongodb_error(error, "rename " + from);
    return {};
}

auto MongodbWriter::keys_of(const std::string& name) -> Result<Keys> {
    const auto from = collection(name);
    const auto options = bson_of({{"projection", value(Document{{"_id", value(std::int32_t{1})}})},
                                  {"sort", value(Document{{"_id", value(std::int32_t{1})}})}});
    const MongoCursor cursor(
        mongoc_collection_find_with_opts(from.get(), Bson().get(), options.get(), nullptr),
        &mongoc_cursor_destroy);
    std::vector<std::int64_t> live;
    const bson_t* document = nullptr;
    while (mongoc_cursor_next(cursor.get(), &document)) {
        bson_iter_t at;
        if (bson_iter_init_find(&at, document, "_id")) live.push_back(bson_iter_as_int64(&at));
    }
    bson_error_t error;
    if (mongoc_cursor_error(cursor.get(), &error)) return mongodb_error(error, "find in " + name);
    return Keys(std::move(live));
}

auto MongodbWriter::load(const std::vector<Change>& rows) -> Result<void> {
    if (rows.empty()) return {};
    Counts ignored{Tally(tables_.size())};
    return apply_one({rows, Ending::together}, ignored);
}

auto MongodbWriter::apply(std::span<const Transaction> transactions, Counts& counts)
    -> Result<void> {
    counts.tables.resize(tables_.size());
    for (const auto& transaction : transactions) TRY(apply_one(transaction, counts));
    return {};
}

auto MongodbWriter::apply_one(const Transaction& transaction, Counts& counts) -> Result<void> {
    auto tally = counts.tables;
    auto written = transaction.ending == Ending::together ? write(transaction, nullptr, tally)
                                                          : write_in_session(transaction, tally);
    if (!written && written.error().fault != Fault::retry) return written;
    if (!written) {
        ++counts.conflicts;
    } else {
        ++counts.transactions;
        if (is_rolled_back(transaction.ending)) {
            ++counts.rolled_back;
            return {};
        }
    }
    auto missed = transaction.kept();
    for (std::size_t i = 0; i < tally.size(); ++i)
        missed -= tally[i].total() - counts.tables[i].total();
    (written ? counts.missed : counts.undone) += missed;
    counts.tables = std::move(tally);
    return {};
}

auto MongodbWriter::write_in_session(const Transaction& transaction, Tally& tally) -> Result<void> {
    bson_error_t error;
    const MongoSession session(mongoc_client_start_session(client_.get(), nullptr, &error),
                               &mongoc_client_session_destroy);
    if (session == nullptr) return mongodb_error(error, "start a session");
    const auto before = tally;
    for (int attempt = 1;; ++attempt) {
        if (!mongoc_client_session_start_transaction(session.get(), nullptr, &error))
            return mongodb_error(error, "start a transaction");
        auto written = write(transaction, session.get(), tally);
        if (written && !is_rolled_back(transaction.ending)) {
            if (mongoc_client_session_commit_transaction(session.get(), nullptr, &error)) return {};
            written = mongodb_error(error, "commit");
        }
        mongoc_client_session_abort_transaction(session.get(), nullptr);
        if (written) return {};
        tally = before;
        if (written.error().fault != Fault::retry || attempt == attempts_max) return written;
    }
}

// Changes of one collection keep their order; a change of a collection itself comes after all that
// were asked for before it.
auto MongodbWriter::write(const Transaction& transaction, mongoc_client_session_t* session,
                          Tally& tally) -> Result<void> {
    std::map<std::size_t, Bulk> bulks;
    for (const auto& change : transaction.changes) {
        if (is_of_collection(change.kind)) {
            TRY(flush(bulks, tally));
            TRY(change_collection(change, tally));
            continue;
        }
        auto found = bulks.find(change.table);
        if (found == bulks.end())
            found = bulks.emplace(change.table, TRY(new_bulk(change.table, session))).first;
        TRY(add(found->second, change));
    }
    return flush(bulks, tally);
}

auto MongodbWriter::flush(std::map<std::size_t, Bulk>& bulks, Tally& tally) -> Result<void> {
    for (auto& [table, bulk] : bulks) TRY(execute(bulk, tally.at(table)));
    bulks.clear();
    return {};
}

auto MongodbWriter::new_bulk(std::size_t table, mongoc_client_session_t* session) -> Result<Bulk> {
    const auto target = collection(tables_.at(table).name);
    const auto options = bson_of({{"ordered", value(true)}});
    bson_error_t error;
    if (session != nullptr && !mongoc_client_session_append(session, options.get(), &error))
        return mongodb_error(error, "use a session");
    return Bulk{{mongoc_collection_create_bulk_operation_with_opts(target.get(), options.get()),
                 &mongoc_bulk_operation_destroy}};
}

auto MongodbWriter::add(Bulk& bulk, const Change& change) -> Result<void> {
    bson_error_t error;
    bool added = false;
    auto* const operations = bulk.operations.get();
    const auto selector = bson_of(change.key, {});
    // The library would refuse names that the server takes, such as the empty one.
    const auto options = change.kind == Kind::replace
                             ? bson_of({{"validate", value(false)}, {"upsert", value(true)}})
                             : bson_of({{"validate", value(false)}});
    if (change.kind == Kind::insert) {
        added = mongoc_bulk_operation_insert_with_opts(
            operations, bson_of(change.key, change.values).get(), options.get(), &error);
    } else if (change.kind == Kind::remove) {
        added =
            mongoc_bulk_operation_remove_one_with_opts(operations, selector.get(), nullptr, &error);
    } else if (change.kind == Kind::replace) {
        ++bulk.replaces;
        added = mongoc_bulk_operation_replace_one_with_opts(
            operations, selector.get(), bson_of(change.values).get(), options.get(), &error);
    } else {
        const bool operators = !change.values.empty() && change.values[0].name.starts_with('$');
        const auto update =
            operators ? bson_of(change.values) : bson_of({{"$set", value(change.values)}});
        added = mongoc_bulk_operation_update_one_with_opts(operations, selector.get(), update.get(),
                                                           options.get(), &error);
    }
    if (!added) return mongodb_error(error, "bulk write");
    return {};
}

auto MongodbWriter::execute(Bulk& bulk, TableChanges& tally) -> Result<void> {
    bson_t reply;
    bson_error_t error;
    const auto done = mongoc_bulk_operation_execute(bulk.operations.get(), &reply, &error);
    const auto count = [&](const char* name) -> std::int64_t {
        bson_iter_t at;
        return bson_iter_init_find(&at, &reply, name) ? bson_iter_as_int64(&at) : 0;
    };
    // A replacement matches, or is made; so what else matched was updated.
    const auto made = count("nUpserted");
    tally.of(Kind::insert) += count("nInserted") + made;
    tally.of(Kind::replace) += bulk.replaces - made;
    tally.of(Kind::update) += count("nMatched") - (bulk.replaces - made);
    tally.of(Kind::remove) += count("nRemoved");
    bson_destroy(&reply);
    if (done != 0) return {};
    return mongodb_error(error, "bulk write");
}

// Whatever comes of it among other writers, in the end there is a collection with the mark: an
// insert makes one without it while there is none.
auto MongodbWriter::change_collection(const Change& change, Tally& tally) -> Result<void> {
    const auto& table = tables_.at(change.table);
    const auto changed = change.kind == Kind::alter ? switch_images(change) : move_away(change);
    if (change.kind != Kind::alter) {
        const auto made = make(table);
        if (!made && made.error().fault != Fault::retry) return made;
        if (!made) TRY(set_options(table));
    }
    TRY(changed);
    ++tally.at(change.table).of(change.kind);
    return {};
}

auto MongodbWriter::switch_images(const Change& change) -> Result<void> {
    auto table = tables_.at(change.table);
    table.post_images = std::get<bool>(change.values.at(0).value.held);
    return set_options(table);
}

auto MongodbWriter::move_away(const Change& change) -> Result<void> {
    const auto& name = tables_.at(change.table).name;
    const auto other = name + "_other";
    Document document = {{"_id", change.key}};
    document.insert(document.end(), change.values.begin(), change.values.end());
    if (change.kind == Kind::drop) {
        TRY(drop(name));
        if (!change.values.empty()) TRY(insert(name, {document}));
        return {};
    }
    if (change.kind == Kind::rename) TRY(rename(name, other));
    if (change.values.empty()) return {};
    TRY(insert(other, {document}));
    return rename(other, name);
}

}  // namespace

auto open_mongodb_writer(const std::string& uri, const std::string& default_database,
                         std::vector<Table> tables) -> Result<std::unique_ptr<Writer>> {
    auto connection = TRY(connect_mongodb(uri, default_database));
    return std::unique_ptr<Writer>(
        std::make_unique<MongodbWriter>(std::move(connection), std::move(tables)));
}

}  // namespace leat::simulate
