// Event by event.
#include "source/mongodb/decoder.hpp"

#include <unordered_set>
#include <utility>

#include "base/check.hpp"
#include "source/mongodb/document.hpp"

namespace leat::mongodb {

namespace {

// What is looked up at once; bounds how many documents are held.
constexpr std::size_t window_events = 512;

auto is_row(EventKind kind) -> bool {
    return kind <= EventKind::remove;
}

auto lacks_document(const Event& event) -> bool {
    return event.kind == EventKind::update && event.document.empty();
}

auto no_key(const Event& event) -> Error {
    return {Fault::fatal, "the server sent a change without a key",
            "Report this with the server's version.",
            std::string(event.source.database) + "." + std::string(event.source.collection),
            Code::mongo_stream};
}

}  // namespace

Decoder::Decoder(DecoderOptions options, FrameBuilder frames)
    : options_(std::move(options)), frames_(std::move(frames)) {
    for (const auto& one : options_.collections) by_name_[{one.database, one.collection}] = &one;
}

auto Decoder::feed(const StreamReply& reply) -> Result<void> {
    Window window;
    bson::Reader reader(reply.events);
    for (bson::Element item; reader.next(item);) {
        const auto bytes = item.value;
        auto event = TRY(parse_event(bytes));
        if (event.fragments > 0) {
            // What came before is decoded first, as the whole event lives only here.
            TRY(decode(window));
            const auto whole = gather_fragment(bytes, event);
            if (!whole) continue;
            Window one;
            one.events.push_back(TRY(parse_event(*whole)));
            TRY(decode(one));
            continue;
        }
        window.events.push_back(event);
        if (window.events.size() == window_events) TRY(decode(window));
    }
    TRY(decode(window));
    note_end(reply);
    return {};
}

// An empty batch says that the server found nothing more: a transaction's events come together.
auto Decoder::note_end(const StreamReply& reply) -> void {
    const auto time = token_time(reply.token);
    const auto open = frames_.open_commit();
    if (open && (reply.is_empty || (time && *time > *open))) frames_.end_transaction();
    // Events may still come at the very time at which a stream begins.
    const bool is_beginning = std::exchange(is_first_, false) && reply.is_empty;
    // In the middle of a split event no token can be resumed behind.
    if (is_beginning || !time || !fragments_.empty()) return;
    told_ = {*time, std::string(reply.token)};
    if (!has_open()) frames_.stands_behind(told_.token), frames_.keep_token();
}

// Tokens of the events are copied before the batch that holds them goes.
auto Decoder::decode(Window& window) -> Result<void> {
    window.whole_until = whole_until_.load(std::memory_order_acquire);
    TRY(look_up(window));
    for (const auto& event : window.events) {
        TRY(frames_.begin(event.commit, event.wall_us, event.is_in_transaction));
        TRY(apply(event, window));
        frames_.stands_behind(event.token);
    }
    frames_.keep_token();
    window = {};
    return {};
}

auto Decoder::look_up(Window& window) -> Result<void> {
    std::map<const CapturedCollection*, std::vector<bson::Element>> wanted;
    std::map<const CapturedCollection*, std::unordered_set<std::string>> known;
    std::uint64_t newest = 0;
    for (const auto& event : window.events) {
        if (!lacks_document(event) || may_be_delta(event, window)) continue;
        const auto* const collection = find(event.source);
        const auto key = bson::find(event.key, key_field);
        if (collection == nullptr || !key || is_known(event, *collection)) continue;
        newest = std::max(newest, event.commit);
        if (known[collection].insert(key_bytes(*key)).second) wanted[collection].push_back(*key);
    }
    for (const auto& [collection, keys] : wanted)
        window.documents[collection] =
            TRY(options_.look_up({collection->database, collection->collection, keys, newest}));
    return {};
}

auto Decoder::is_known(const Event& event, const CapturedCollection& collection) const -> bool {
    return event.commit <= options_.floor || event.commit <= collection.from;
}

auto Decoder::apply(const Event& event, const Window& window) -> Result<void> {
    if (event.commit <= options_.floor) return {};
    if (event.kind == EventKind::rename) return meet_rename(event);
    if (event.kind == EventKind::drop_database || event.kind == EventKind::invalidate) return {};
    const auto* const collection = find(event.source);
    if (collection == nullptr || is_known(event, *collection)) return {};
    if (is_row(event.kind)) return apply_row(event, *collection, window);
    if (event.kind == EventKind::drop) return frames_.truncate(collection->table);
    pass_over(collection->table, "event_type");
    return {};
}

auto Decoder::apply_row(const Event& event, const CapturedCollection& collection,
                        const Window& window) -> Result<void> {
    const auto& table = collection.table;
    const bool may_meet = event.commit <= window.whole_until;
    switch (event.kind) {
        case EventKind::remove:
            if (event.key.empty()) return no_key(event);
            return frames_.add(table, Op::remove, event.key);
        case EventKind::insert:
            return frames_.add(table, may_meet ? Op::replace : Op::insert, event.document);
        case EventKind::replace: return frames_.add(table, Op::replace, event.document);
        default: break;
    }
    return apply_update(event, collection, window);
}

// While an image is read, a row may be newer than a change of it, and no part is to be taken back.
auto Decoder::may_be_delta(const Event& event, const Window& window) const -> bool {
    return options_.update_mode == UpdateMode::delta && lacks_document(event) &&
           event.commit > window.whole_until;
}

auto Decoder::apply_update(const Event& event, const CapturedCollection& collection,
                           const Window& window) -> Result<void> {
    const auto& table = collection.table;
    if (!event.document.empty()) return frames_.add(table, Op::update, event.document);
    const auto key = bson::find(event.key, key_field);
    if (!key) return no_key(event);
    Documents own;
    const auto* documents = &own;
    if (const auto known = window.documents.find(&collection); known != window.documents.end())
        documents = &known->second;
    const auto id = key_bytes(*key);
    auto found = documents->find(id);
    if (found == documents->end() && may_be_delta(event, window)) {
        const auto delta = read_delta(event.description);
        if (delta && TRY(frames_.add_delta(table, event.key, *delta))) return {};
        own = TRY(options_.look_up(
            {collection.database, collection.collection, {&*key, 1}, event.commit}));
        documents = &own;
        found = own.find(id);
    }
    // Its delete follows.
    if (found == documents->end()) {
        pass_over(table, "row_gone");
        return {};
    }
    ++looked_up_[table];
    return frames_.add(table, Op::update, found->second);
}

// What is renamed away leaves its table empty. What is renamed onto a captured name comes without
// its documents.
auto Decoder::meet_rename(const Event& event) -> Result<void> {
    const auto* const from = find(event.source);
    if (from != nullptr && event.commit > from->from) TRY(frames_.truncate(from->table));
    const auto* const onto = find(event.target);
    if (onto == nullptr || event.commit <= onto->from) return {};
    stale_.insert(onto->table);
    return Error{Fault::retry,
                 "a collection was renamed to " + to_string(onto->table) + ": it is read anew", "",
                 to_string(onto->table)};
}

// Nothing until the last fragment is there. Each has some of the event's fields; the last one's
// token stands for all.
auto Decoder::gather_fragment(std::string_view bytes, const Event& fragment)
    -> std::optional<std::string> {
    if (fragment.fragment == 1) fragments_.clear();
    fragments_.emplace_back(bytes);
    if (fragment.fragment < fragment.fragments) return std::nullopt;
    Document whole;
    whole.add("_id", Document(fragment.token));
    for (const auto& part : std::exchange(fragments_, {})) {
        bson::Reader reader(part);
        for (bson::Element element; reader.next(element);)
            if (element.name != "_id" && element.name != "splitEvent")
                whole.add(element.name, element);
    }
    return std::string(whole.bytes());
}

auto Decoder::find(const Namespace& name) -> const CapturedCollection* {
    const auto is_it = [&](const CapturedCollection& one) {
        return one.collection == name.collection && one.database == name.database;
    };
    if (last_found_ != nullptr && is_it(*last_found_)) return last_found_;
    const auto found = by_name_.find({name.database, name.collection});
    return found == by_name_.end() ? nullptr : last_found_ = found->second;
}

auto Decoder::pass_over(const TableName& table, const char* reason) -> void {
    ++passed_over_[{table, reason}];
}

auto Decoder::tell(Frame& frame) -> void {
    for (const auto& [what, rows] : std::exchange(passed_over_, {}))
        frame.passed_over.push_back({what.first, what.second, rows});
    frame.looked_up = std::exchange(looked_up_, {});
}

}  // namespace leat::mongodb
