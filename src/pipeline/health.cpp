// The rules from figures to verdicts; see health.hpp.
#include "pipeline/health.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace leat {

namespace {

// A question to the source that is not answered for so long counts as no answer.
constexpr Duration patience = std::chrono::seconds(6);
// A part that failed and goes on without failing again for so long has recovered.
constexpr Duration recovered_after = std::chrono::seconds(5);
constexpr double lag_seconds_max = 60;
constexpr std::int64_t full_soon_s = 3600;

auto text_of(const Error& error) -> std::string {
    return error.context.empty() ? error.what : error.what + " (" + error.context + ")";
}

auto failing(Condition condition, std::string reason, const std::optional<Error>& error)
    -> Condition {
    condition.verdict = Verdict::no;
    condition.reason = std::move(reason);
    if (error) {
        condition.message = text_of(*error);
        condition.next_step = error->hint;
        condition.code = error->code;
    }
    return condition;
}

auto decided(Condition condition, Verdict verdict, std::string reason, std::string message = {},
             std::string next_step = {}, Code code = Code::none) -> Condition {
    condition.verdict = verdict;
    condition.reason = std::move(reason);
    condition.message = std::move(message);
    condition.next_step = std::move(next_step);
    condition.code = code;
    return condition;
}

auto about(const char* type, std::string component, Health harm = Health::unhealthy) -> Condition {
    Condition condition;
    condition.harm = harm;
    condition.type = type;
    condition.component = std::move(component);
    return condition;
}

auto health_of(const Condition& condition) -> Health {
    switch (condition.verdict) {
        case Verdict::yes: return Health::healthy;
        case Verdict::unknown: return Health::degraded;
        case Verdict::no: break;
    }
    return condition.harm;
}

auto is_up_to_date(const LaneStatus& lane, const CaptureStatus& capture) -> bool {
    return lane.image_complete && lane.filling.empty() && lane.phase == Phase::streaming &&
           lane.reached >= capture.durable;
}

// The phase of the whole is that of its part that is furthest from streaming.
auto rank(Phase phase) -> int {
    constexpr std::array from_best = {Phase::streaming, Phase::catching_up, Phase::snapshotting,
                                      Phase::starting,  Phase::paused,      Phase::stopped,
                                      Phase::waiting,   Phase::failed};
    return static_cast<int>(std::find(from_best.begin(), from_best.end(), phase) -
                            from_best.begin());
}

auto phase_of(const PipelineStatus& status) -> Phase {
    auto worst = Phase::streaming;
    const auto consider = [&](const auto& part) {
        if (part.is_wanted && rank(part.phase) > rank(worst)) worst = part.phase;
    };
    consider(status.capture);
    for (const auto& lane : status.lanes) consider(lane);
    return worst;
}

auto phase_of(const CaptureStatus& capture, const TableName& table) -> Phase {
    const bool others_are_read = !capture.imaging.empty() && !capture.imaging.contains(table);
    const bool streams = capture.phase == Phase::snapshotting && others_are_read;
    return streams ? Phase::streaming : capture.phase;
}

auto health_of(Phase phase, double lag_seconds) -> Health {
    switch (phase) {
        case Phase::streaming:
        case Phase::catching_up:
            return lag_seconds > lag_seconds_max ? Health::degraded : Health::healthy;
        case Phase::waiting:
        case Phase::failed: return Health::unhealthy;
        default: return Health::degraded;
    }
}

// A table is no better than the way to where it is read or written.
auto health_of_way(const PipelineStatus& status, const std::string& type,
                   const std::string& component) -> Health {
    auto health = Health::healthy;
    for (const auto& each : status.conditions)
        if (each.type == type && each.component == component) health = health_of(each);
    return health;
}

auto has_letters(const LaneStatus& lane, const std::string& table) -> bool {
    return lane.open_letters && lane.open_letters->contains(table);
}

auto schema_in_sync(const CaptureStatus& capture) -> Condition {
    auto condition = about("SchemaInSync", "source");
    const bool differs = capture.phase == Phase::failed && capture.error &&
                         capture.error->context.ends_with("schema");
    if (differs) return failing(std::move(condition), "SchemaChanged", capture.error);
    const bool known = capture.phase == Phase::streaming || capture.phase == Phase::snapshotting;
    return decided(std::move(condition), known ? Verdict::yes : Verdict::unknown,
                   known ? "Followed" : "NotReading");
}

auto history_kept(const WatchStatus& watch) -> Condition {
    auto condition = about("HistoryKept", "source");
    if (!watch.vitals || watch.error)
        return decided(std::move(condition), Verdict::unknown,
                       watch.error ? "Unreachable" : "NotLookedAt");
    const auto& vitals = *watch.vitals;
    const auto verdict = vitals.keeping == Keeping::kept       ? Verdict::yes
                         : vitals.keeping == Keeping::none_yet ? Verdict::unknown
                                                               : Verdict::no;
    return decided(std::move(condition), verdict, vitals.reason, vitals.message, vitals.next_step,
                   vitals.code);
}

auto dead_letters_empty(const LaneStatus& lane) -> Condition {
    auto condition = about("DeadLettersEmpty", lane.name, Health::degraded);
    if (!lane.open_letters) return decided(std::move(condition), Verdict::unknown, "NotCounted");
    if (lane.open_letters->empty()) return decided(std::move(condition), Verdict::yes, "None");
    std::int64_t letters = 0;
    for (const auto& [table, count] : *lane.open_letters) letters += count;
    return decided(std::move(condition), Verdict::no, "RowsSetAside",
                   "rows were set aside as dead letters: " + std::to_string(letters),
                   "Look at them with `leat dead-letters list FILE`.", Code::letters_open);
}

auto copy_fresh(const LaneStatus& lane) -> Condition {
    auto condition = about("CopyFresh", lane.name, Health::degraded);
    if (lane.copy.error) return failing(std::move(condition), "Failing", lane.copy.error);
    const bool made = lane.copy.made > 0;
    return decided(std::move(condition), made ? Verdict::yes : Verdict::unknown,
                   made ? "Made" : "NotYet");
}

}  // namespace

auto worse(Health a, Health b) -> Health { return std::max(a, b); }

auto components_of(const PipelineStatus& status) -> std::vector<std::string> {
    std::vector<std::string> names = {"source", "log"};
    for (const auto& lane : status.lanes) names.push_back(lane.name);
    return names;
}

auto health_of(const PipelineStatus& status, const std::string& component)
    -> std::optional<Health> {
    if (component.empty()) return status.health;
    const auto known = components_of(status);
    if (std::find(known.begin(), known.end(), component) == known.end()) return std::nullopt;
    auto health = Health::healthy;
    for (const auto& condition : status.conditions)
        if (condition.component == component) health = worse(health, health_of(condition));
    for (const auto& table : status.tables)
        if (table.sink == component || (table.sink.empty() && component == "source"))
            health = worse(health, table.health);
    return health;
}

auto Judge::judge(PipelineStatus& status, std::int64_t wall_us, Duration steady) -> void {
    wall_us_ = wall_us;
    steady_ = steady;
    status.conditions.clear();
    measure_lags(status);
    measure_image(status.capture);
    if (status.capture.is_wanted) source_conditions(status);
    queue_conditions(status);
    for (auto& lane : status.lanes)
        if (lane.is_wanted) lane_conditions(status, lane);
    judge_tables(status);
    status.phase = phase_of(status);
    status.health = Health::healthy;
    for (const auto& condition : status.conditions)
        status.health = worse(status.health, health_of(condition));
    for (const auto& table : status.tables) status.health = worse(status.health, table.health);
}

auto Judge::hold(PipelineStatus& status, Condition condition) -> void {
    auto& held = held_[{condition.type, condition.component}];
    if (held.since_us == 0 || held.verdict != condition.verdict || held.reason != condition.reason)
        held = {condition.verdict, condition.reason, wall_us_};
    condition.since_us = held.since_us;
    status.conditions.push_back(std::move(condition));
}

auto Judge::is_recovering(const std::string& part, int failures, bool is_waiting) -> bool {
    auto& recovery = recoveries_[part];
    if (recovery.failures != failures || is_waiting) recovery = {failures, steady_};
    return failures > 0 && steady_ - recovery.since < recovered_after;
}

auto Judge::source_reachable(const PipelineStatus& status) -> Condition {
    const auto& capture = status.capture;
    const auto& watch = capture.watch;
    auto condition = about("SourceReachable", "source");
    const bool is_waiting = capture.phase == Phase::waiting;
    const bool recovering = is_recovering("", capture.failures_in_a_row, is_waiting);
    if (capture.phase == Phase::failed)
        return failing(std::move(condition), "Stopped", capture.error);
    if (is_waiting) return failing(std::move(condition), "Failing", capture.error);
    if (watch.error) return failing(std::move(condition), "Unreachable", watch.error);
    if (watch.is_kept && watch.asked > watch.answered && steady_ - watch.asked > patience)
        return decided(std::move(condition), Verdict::no, "NoAnswer",
                       "the source has not answered for " +
                           std::to_string((steady_ - watch.asked) / std::chrono::seconds(1)) + " s",
                       "Look whether the server is overloaded, stopped, or cut off by the network.",
                       Code::source_silent);
    if (capture.phase == Phase::starting)
        return decided(std::move(condition), Verdict::unknown, "Starting");
    if (capture.phase == Phase::stopped)
        return decided(std::move(condition), Verdict::unknown, "NotRunning");
    if (recovering) return decided(std::move(condition), Verdict::unknown, "Recovering");
    return decided(std::move(condition), Verdict::yes, "Reading");
}

auto Judge::source_conditions(PipelineStatus& status) -> void {
    hold(status, source_reachable(status));
    if (status.capture.watch.is_kept) hold(status, history_kept(status.capture.watch));
    hold(status, schema_in_sync(status.capture));
}

auto Judge::queue_conditions(PipelineStatus& status) -> void {
    auto condition = about("LogHasRoom", "log");
    const auto& queue = status.queue;
    if (!queue.message.empty())
        hold(status, decided(std::move(condition), Verdict::no, "Waiting", queue.message,
                             "Make room, speed up the slowest sink, or raise queue.max_bytes.",
                             Code::log_full));
    else if (queue.full_in_s && *queue.full_in_s < full_soon_s) {
        condition.harm = Health::degraded;
        hold(status, decided(std::move(condition), Verdict::no, "FullSoon",
                             "the log reaches its size limit in about " +
                                 std::to_string(*queue.full_in_s / 60) + " min at the present rate",
                             "Speed up the slowest sink or raise queue.max_bytes.",
                             Code::log_full_soon));
    } else
        hold(status, decided(std::move(condition), Verdict::yes, "Enough"));
}

auto Judge::sink_reachable(const LaneStatus& lane) -> Condition {
    auto condition = about("SinkReachable", lane.name);
    const bool is_waiting = lane.phase == Phase::waiting;
    const bool recovering = is_recovering(lane.name, lane.failures_in_a_row, is_waiting);
    if (lane.phase == Phase::failed) return failing(std::move(condition), "Stopped", lane.error);
    if (is_waiting) return failing(std::move(condition), "Failing", lane.error);
    if (lane.phase == Phase::starting)
        return decided(std::move(condition), Verdict::unknown, "Starting");
    if (lane.phase == Phase::paused)
        return decided(std::move(condition), Verdict::unknown, "Paused", "a person has paused it",
                       "Let it go on with `leat resume FILE " + lane.name + "`.",
                       Code::sink_paused);
    if (lane.phase == Phase::stopped)
        return decided(std::move(condition), Verdict::unknown, "NotRunning");
    if (recovering) return decided(std::move(condition), Verdict::unknown, "Recovering");
    return decided(std::move(condition), Verdict::yes, "Writing");
}

auto Judge::lane_conditions(PipelineStatus& status, LaneStatus& lane) -> void {
    hold(status, sink_reachable(lane));
    auto keeping_up = about("KeepingUp", lane.name, Health::degraded);
    if (!lane.image_complete)
        hold(status, decided(std::move(keeping_up), Verdict::unknown, "Snapshotting"));
    else if (lane.lag_seconds > lag_seconds_max)
        hold(status, decided(std::move(keeping_up), Verdict::no, "Behind",
                             "the oldest change that is not in the sink is " +
                                 std::to_string(static_cast<std::int64_t>(lane.lag_seconds)) +
                                 " s old",
                             "See whether the sink is slow, or wait if it catches up.",
                             Code::sink_behind));
    else hold(status, decided(std::move(keeping_up), Verdict::yes, "UpToDate"));
    hold(status, dead_letters_empty(lane));
    if (lane.copy.is_wanted) hold(status, copy_fresh(lane));
}

auto Judge::lag_seconds(const std::string& part, bool up_to_date, std::int64_t at_us) -> double {
    auto& last = up_to_date_us_[part];
    if (up_to_date) last = wall_us_;
    const auto known = std::max(last, at_us);
    return known == 0 ? 0 : std::max(0.0, static_cast<double>(wall_us_ - known) / 1e6);
}

auto Judge::measure_lags(PipelineStatus& status) -> void {
    auto& capture = status.capture;
    const auto& vitals = capture.watch.vitals;
    const bool nothing_new = !capture.watch.error && vitals && vitals->behind_bytes == 0;
    capture.lag_seconds = lag_seconds("", nothing_new, capture.durable_commit_time_us);
    for (auto& lane : status.lanes) {
        lane.lag_seconds =
            lag_seconds(lane.name, is_up_to_date(lane, capture), lane.reached_commit_time_us);
        const auto since_us = lane.oldest_letter_us > 0 ? lane.oldest_letter_us : wall_us_;
        lane.oldest_letter_age_seconds =
            std::max(0.0, static_cast<double>(wall_us_ - since_us) / 1e6);
    }
}

auto Judge::measure_image(CaptureStatus& capture) const -> void {
    capture.image.reset();
    if (capture.phase != Phase::snapshotting || capture.imaging.empty()) return;
    capture.image = progress_of(capture.imaging, capture.images, steady_ - capture.imaging_since);
}

// Every table that capture knows, and what has moved of them in each sink.
auto Judge::judge_tables(PipelineStatus& status) -> void {
    status.tables.clear();
    const auto& capture = status.capture;
    const auto source = health_of_way(status, "SourceReachable", "source");
    if (capture.is_wanted)
        for (const auto& [name, counts] : capture.tables) {
            const auto phase = phase_of(capture, name);
            status.tables.push_back({to_string(name), "", phase,
                                     worse(source, health_of(phase, capture.lag_seconds))});
        }
    for (const auto& lane : status.lanes) {
        if (!lane.is_wanted) continue;
        std::set<std::string> names;
        for (const auto& [name, counts] : lane.tables) names.insert(target_name(name));
        for (const auto& [name, flow] : lane.flows) names.insert(name);
        if (lane.open_letters)
            for (const auto& [name, count] : *lane.open_letters) names.insert(name);
        std::map<std::string, Phase> filling;
        for (const auto& [table, phase] : lane.filling) filling[target_name(table)] = phase;
        for (const auto& [name, phase] : filling) names.insert(name);
        const auto sink = health_of_way(status, "SinkReachable", lane.name);
        for (const auto& name : names) {
            auto phase = lane.phase;
            if (const auto found = filling.find(name);
                found != filling.end() && rank(found->second) > rank(phase))
                phase = found->second;
            auto health = worse(sink, health_of(phase, lane.lag_seconds));
            if (has_letters(lane, name)) health = worse(health, Health::degraded);
            status.tables.push_back({name, lane.name, phase, health});
        }
    }
}

}  // namespace leat
