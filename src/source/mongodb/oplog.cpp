// The first and the last entry, and its size.
#include "source/mongodb/oplog.hpp"

#include "source/mongodb/event.hpp"

namespace leat::mongodb {

namespace {

constexpr auto collection = "oplog.rs";

auto end_of(Connection& connection, std::int32_t direction, const Document& filter = {})
    -> Result<std::uint64_t> {
    Document find;
    find.add("find", collection)
        .add("filter", filter)
        .add("sort", Document().add("$natural", direction))
        .add("limit", std::int64_t{1})
        .add("projection", Document().add("ts", 1));
    const auto reply = TRY(connection.command("local", find));
    const auto batch = bson::find(reply.document("cursor"), "firstBatch");
    bson::Element item;
    if (!batch || batch->type != bson::Type::array ||
        !bson::Reader(bson::as_document(*batch)).next(item) || item.type != bson::Type::document)
        return 0;
    const auto time = bson::find(bson::as_document(item), "ts");
    return time && time->type == bson::Type::timestamp ? to_commit(bson::as_timestamp(*time)) : 0;
}

}  // namespace

auto OplogWindow::seconds() const -> double {
    return static_cast<double>(to_timestamp(last).seconds) -
           static_cast<double>(to_timestamp(first).seconds);
}

auto lacks_entry(Connection& connection, std::uint64_t commit) -> Result<bool> {
    const auto first = end_of(connection, 1);
    if (!first) {
        if (first.error().fault == Fault::retry) return first.error();
        return false;
    }
    // The server seeks to a time in its oplog, whatever lies before it.
    const auto from = Document().add("$gte", to_timestamp(commit));
    const auto there = TRY(end_of(connection, 1, Document().add("ts", from)));
    return *first != 0 && *first <= commit && there > commit;
}

auto oplog_window(Connection& connection) -> Result<std::optional<OplogWindow>> {
    OplogWindow window;
    const auto first = end_of(connection, 1);
    if (!first) {
        if (first.error().fault == Fault::retry) return first.error();
        return std::optional<OplogWindow>();
    }
    window.first = *first;
    window.last = TRY(end_of(connection, -1));
    const auto stats = connection.command("local", Document().add("collStats", collection));
    constexpr double nearly = 0.95;
    if (stats)
        window.is_full = static_cast<double>(stats->number("size")) >=
                         nearly * static_cast<double>(stats->number("maxSize"));
    return std::optional(window);
}

}  // namespace leat::mongodb
