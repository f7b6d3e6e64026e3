// MongoSource as Watchable: how long the oplog still holds what we have not read, asked over a
// connection of its own.
#include "source/mongodb/event.hpp"
#include "source/mongodb/mongodb_source.hpp"
#include "source/mongodb/oplog.hpp"

namespace leat::mongodb {

namespace {

constexpr std::chrono::milliseconds answer_within(3000);

constexpr VitalInfo window_seconds{"mongo_oplog_window_seconds",
                                   "Seconds between the first and the last entry of the oplog."};
constexpr VitalInfo left_seconds{
    "mongo_oplog_left_seconds",
    "Seconds of oplog behind the durable position: at zero, changes are "
    "lost."};

// A quarter of the window is left.
constexpr double risky_part = 0.25;

}  // namespace

auto MongoSource::vital_infos() -> std::vector<VitalInfo> {
    return {window_seconds, left_seconds};
}

auto MongoSource::watch(const std::optional<Position>& durable, const std::stop_token& /*stop*/)
    -> Result<SourceVitals> {
    if (!watching_) {
        auto quick = options("watch");
        quick.timeout = std::min(quick.timeout, answer_within);
        quick.answer = answer_within;
        watching_ = TRY(Connection::connect(quick));
    }
    const auto window = oplog_window(*watching_);
    if (!window) {
        watching_.reset();
        return window.error();
    }
    SourceVitals vitals;
    // Nothing has happened since: otherwise nobody can say how many bytes that was.
    if (durable && to_commit(watching_->operation_time()) <= durable->commit)
        vitals.behind_bytes = 0;
    vitals.keeping = durable ? Keeping::kept : Keeping::none_yet;
    vitals.reason = durable ? "OplogKept" : "NothingReadYet";
    if (!*window) {
        vitals.reason = "OplogUnknown";
        return vitals;
    }
    const auto& oplog = **window;
    vitals.vitals.push_back({&window_seconds, oplog.seconds(), ""});
    if (!durable) return vitals;
    const auto left = static_cast<double>(to_timestamp(durable->commit).seconds) -
                      static_cast<double>(to_timestamp(oplog.first).seconds);
    vitals.vitals.push_back({&left_seconds, left, ""});
    if (durable->commit < oplog.first) {
        vitals.keeping = Keeping::lost;
        vitals.reason = "OplogLost";
        vitals.code = Code::mongo_history_lost;
        vitals.message = "the oplog no longer reaches back to where leat stands";
        vitals.next_step = "Set run.on_gap: resnapshot to have all collections read anew.";
    } else if (oplog.is_full && left < risky_part * oplog.seconds()) {
        vitals.keeping = Keeping::at_risk;
        vitals.reason = "OplogClosing";
        vitals.code = Code::mongo_oplog_at_risk;
        vitals.message = "the oplog will soon no longer reach back to where leat stands";
        vitals.next_step = "Give it more room at once (replSetResizeOplog), or let leat catch up.";
    }
    return vitals;
}

}  // namespace leat::mongodb
