// Timeline histories, as TIMELINE_HISTORY gives them ("Streaming Replication Protocol").
#include "source/postgres/timeline.hpp"

#include <algorithm>
#include <charconv>

#include "source/postgres/slot.hpp"

namespace leat::postgres {

namespace {

auto number_of(std::string_view text) -> std::uint32_t {
    std::uint32_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

auto diverged(const std::string& what) -> Error {
    return Error{Fault::fatal, what, start_anew, "postgres slot", Code::pg_timeline};
}

auto left_behind(const TimelineChange& change) -> Error {
    return Error{
        Fault::config,
        "source is on timeline " + change.now + ", which a failover has left behind: ours " +
            change.was,
        "Point source.uri at the server that was promoted. If this one has taken its place "
        "again: `leat drop FILE`, move the warehouse file away and start again.",
        "postgres slot", Code::pg_timeline};
}

auto load_history(Connection& replication, const std::string& timeline)
    -> Result<std::vector<Ancestor>> {
    const auto rows = replication.query("TIMELINE_HISTORY " + timeline);
    if (rows && rows->count() == 1) return parse_history(rows->text(0, 1));
    if (rows) return replication.failure("TIMELINE_HISTORY");
    constexpr auto file_missing = "58P01";
    if (sqlstate(rows.error()) != file_missing) return rows.error();
    return diverged("source went to timeline " + timeline +
                    " (failover or restore), and the server has no history of it");
}

}  // namespace

auto parse_history(std::string_view text) -> std::vector<Ancestor> {
    std::vector<Ancestor> ancestors;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto tab = line.find('\t');
        if (tab == std::string_view::npos) continue;
        const auto rest = line.substr(tab + 1);
        const auto end = parse_lsn(rest.substr(0, rest.find('\t')));
        if (const auto timeline = number_of(line); timeline != 0 && end)
            ancestors.push_back({timeline, *end});
    }
    return ancestors;
}

auto check_timeline(Connection& replication, const TimelineChange& change) -> Result<void> {
    const auto was = number_of(change.was);
    if (number_of(change.now) < was) return left_behind(change);
    const auto history = TRY(load_history(replication, change.now));
    const auto ours = std::find_if(history.begin(), history.end(),
                                   [&](const auto& one) { return one.timeline == was; });
    if (ours == history.end())
        return diverged("source went to timeline " + change.now +
                        " (failover or restore), which did not grow out of ours: " + change.was);
    if (change.position > ours->end)
        return diverged("the failover lost changes that leat has read: timeline " + change.now +
                        " goes on from " + to_string(ours->end) + " of timeline " + change.was +
                        ", ours " + to_string(change.position));
    return {};
}

}  // namespace leat::postgres
