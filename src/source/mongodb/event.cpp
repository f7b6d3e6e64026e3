// Field by field, by name; what is not asked for is not looked into.
#include "source/mongodb/event.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

namespace leat::mongodb {

namespace {

using bson::Element;
using bson::Type;

constexpr std::array kinds = {
    std::pair{std::string_view("insert"), EventKind::insert},
    std::pair{std::string_view("update"), EventKind::update},
    std::pair{std::string_view("replace"), EventKind::replace},
    std::pair{std::string_view("delete"), EventKind::remove},
    std::pair{std::string_view("drop"), EventKind::drop},
    std::pair{std::string_view("rename"), EventKind::rename},
    std::pair{std::string_view("dropDatabase"), EventKind::drop_database},
    std::pair{std::string_view("invalidate"), EventKind::invalidate},
};

auto kind_of(std::string_view text) -> EventKind {
    for (const auto& [name, kind] : kinds)
        if (name == text) return kind;
    return EventKind::other;
}

auto malformed() -> Error {
    return {Fault::fatal, "the server sent a change event that is not one",
            "Report this with the server's version.", "mongodb stream", Code::mongo_stream};
}

auto text_of(const Element& element) -> std::string_view {
    return element.type == Type::string ? bson::as_text(element) : std::string_view();
}

auto document_of(const Element& element) -> std::string_view {
    return element.type == Type::document ? bson::as_document(element) : std::string_view();
}

auto namespace_of(const Element& element) -> Namespace {
    Namespace found;
    bson::Reader reader(document_of(element));
    for (Element part; reader.next(part);) {
        if (part.name == "db") found.database = text_of(part);
        else if (part.name == "coll") found.collection = text_of(part);
    }
    return found;
}

auto read_split(const Element& element, Event& event) -> void {
    bson::Reader reader(document_of(element));
    for (Element part; reader.next(part);) {
        const auto number = static_cast<std::int32_t>(bson::whole_number(part).value_or(0));
        if (part.name == "fragment") event.fragment = number;
        else if (part.name == "of") event.fragments = number;
    }
}

// A time that no clock shows counts as none.
auto microseconds(std::int64_t ms) -> std::int64_t {
    constexpr std::int64_t us_per_ms = 1000;
    constexpr auto most = std::numeric_limits<std::int64_t>::max() / us_per_ms;
    return ms > -most && ms < most ? ms * us_per_ms : 0;
}

auto take(const Element& element, Event& event) -> void {
    const auto name = element.name;
    if (name == "_id") event.token = document_of(element);
    else if (name == "operationType") event.kind_text = text_of(element);
    else if (name == "clusterTime" && element.type == Type::timestamp)
        event.commit = to_commit(bson::as_timestamp(element));
    else if (name == "wallTime" && element.type == Type::date)
        event.wall_us = microseconds(bson::as_int64(element));
    else if (name == "fullDocument") event.document = document_of(element);
    else if (name == "ns") event.source = namespace_of(element);
    else if (name == "to") event.target = namespace_of(element);
    else if (name == "documentKey") event.key = document_of(element);
    else if (name == "updateDescription") event.description = document_of(element);
    else if (name == "txnNumber") event.is_in_transaction = true;
    else if (name == "splitEvent") read_split(element, event);
}

}  // namespace

auto to_commit(bson::Timestamp time) -> std::uint64_t {
    return std::uint64_t{time.seconds} << 32U | time.increment;
}

auto to_timestamp(std::uint64_t commit) -> bson::Timestamp {
    return {static_cast<std::uint32_t>(commit >> 32U), static_cast<std::uint32_t>(commit)};
}

auto parse_event(std::string_view bytes) -> Result<Event> {
    Event event;
    bson::Reader reader(bytes);
    for (Element element; reader.next(element);) take(element, event);
    if (!reader.ok() || event.token.empty()) return malformed();
    // Later fragments of a split event need not repeat anything.
    if (event.fragment <= 1 && (event.kind_text.empty() || event.commit == 0)) return malformed();
    event.kind = kind_of(event.kind_text);
    // Before 6.0 there is no wall time; cluster times are whole seconds.
    constexpr std::int64_t us_per_s = 1'000'000;
    if (event.wall_us == 0)
        event.wall_us = static_cast<std::int64_t>(to_timestamp(event.commit).seconds) * us_per_s;
    return event;
}

auto token_time(std::string_view token) -> std::optional<std::uint64_t> {
    const auto data = bson::find(token, "_data");
    if (!data || data->type != Type::string) return std::nullopt;
    const auto text = bson::as_text(*data);
    constexpr std::string_view timestamp_type = "82";
    constexpr std::size_t time_digits = 16;
    if (!text.starts_with(timestamp_type) || text.size() < timestamp_type.size() + time_digits)
        return std::nullopt;
    const auto digits = text.substr(timestamp_type.size(), time_digits);
    std::uint64_t time = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), time, 16);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return time;
}

}  // namespace leat::mongodb
