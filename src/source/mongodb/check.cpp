// leat check: what would be refused, and what is worth knowing, each with the command that cures
// it.
#include <algorithm>

#include "source/mongodb/event.hpp"
#include "source/mongodb/find.hpp"
#include "source/mongodb/mongodb_source.hpp"
#include "source/mongodb/oplog.hpp"
#include "source/mongodb/server_error.hpp"

namespace leat::mongodb {

namespace {

using Findings = std::vector<Finding>;

auto ok(std::string what) -> Finding {
    return {Severity::ok, std::move(what), ""};
}
auto notice(std::string what, std::string remedy) -> Finding {
    return {Severity::notice, std::move(what), std::move(remedy)};
}

constexpr std::int64_t megabyte = 1'000'000;

auto version_text(const ServerFacts& facts) -> std::string {
    return std::to_string(facts.version_major) + "." + std::to_string(facts.version_minor) + "." +
           std::to_string(facts.version_patch);
}

// A rate that an image is read at when nothing else is known; slow on purpose.
constexpr double image_bytes_per_s = 30e6;

auto judge_window(const OplogWindow& window, std::int64_t image_bytes, Findings& findings) -> void {
    constexpr double per_hour = 3600;
    const auto hours = window.seconds() / per_hour;
    char text[64];
    std::snprintf(text, sizeof text, "%.1f", hours);
    const auto image_s = static_cast<double>(image_bytes) / image_bytes_per_s;
    // Changes are taken in while the image is read, so this bounds a stop of leat, not the image.
    if (hours >= 24 || !window.is_full) {
        findings.push_back(ok("oplog reaches back " + std::string(text) + " hours" +
                              (window.is_full ? "" : " and is not full yet")));
        return;
    }
    findings.push_back(notice("oplog reaches back only " + std::string(text) +
                                  " hours: longer than that leat must not be stopped (an image of "
                                  "these collections takes "
                                  "about " +
                                  std::to_string(static_cast<std::int64_t>(image_s / 60) + 1) +
                                  " minutes)",
                              "db.adminCommand({replSetResizeOplog: 1, minRetentionHours: 24})"));
}

// `database`: empty: all of them.
auto with_grant(const Error& error, const std::string& database) -> Finding {
    auto problem = problem_of(error);
    if (error.code != Code::mongo_right) return problem;
    problem.remedy =
        database.empty()
            ? "db.getSiblingDB(\"admin\").grantRolesToUser(USER, [\"readAnyDatabase\"])"
            : "db.getSiblingDB(\"admin\").grantRolesToUser(USER, [{role: \"read\", db: \"" +
                  database + "\"}])";
    return problem;
}

}  // namespace

// Empty: collections of several are wanted, or of all.
auto MongoSource::only_database() const -> std::string {
    std::set<std::string> databases;
    for (const auto& pattern : selection_.patterns())
        databases.insert(database_of(pattern.name, database_));
    const bool is_one = databases.size() == 1 && databases.begin()->find('*') == std::string::npos;
    return is_one ? *databases.begin() : "";
}

// Which collections there are, how large, and whether updates come with their documents.
auto MongoSource::check_collections(Connection& connection, Findings& findings)
    -> Result<std::int64_t> {
    const auto names = TRY(select(connection, {}));
    std::int64_t bytes = 0;
    for (const auto& name : names) {
        const auto collection = named(name);
        const auto size = TRY(size_of(connection, collection.database, collection.collection));
        bytes += size.bytes;
        findings.push_back(ok("collection " + to_string(name) + ": " +
                              std::to_string(size.documents) + " documents, " +
                              std::to_string(size.bytes / megabyte) + " MB"));
        if (!without_images_.contains(name)) continue;
        const auto cure = connection.facts().is_at_least(6, 0)
                              ? "db.getSiblingDB(\"" + collection.database +
                                    "\").runCommand({collMod: \"" + collection.collection +
                                    "\", changeStreamPreAndPostImages: {enabled: true}})"
                              : "Upgrade the server to 6.0 or newer, which has post images.";
        findings.push_back(
            notice("collection " + to_string(name) +
                       " has no post images: after an update its document is "
                       "read again and may be newer than the update, so the table is eventual",
                   cure));
    }
    return bytes;
}

auto MongoSource::check() -> Result<std::vector<Finding>> {
    Findings findings;
    auto connection = TRY(Connection::connect(options("check")));
    const auto& facts = connection.facts();
    if (const auto fits = check_server(connection); !fits) {
        findings.push_back(problem_of(fits.error()));
        return findings;
    }
    findings.push_back(ok("server is MongoDB " + version_text(facts) +
                          (facts.is_router ? ", a router of a sharded cluster"
                                           : ", member of replica set " + facts.replica_set)));
    if (!facts.is_at_least(6, 0, 9))
        findings.push_back(
            notice("changes larger than 16 MB end capture: this server does not split "
                   "them",
                   "Upgrade it to 6.0.9 or newer."));
    TRY(identify(connection));
    const auto bytes = check_collections(connection, findings);
    if (!bytes) {
        findings.push_back(with_grant(bytes.error(), only_database()));
        return findings;
    }
    names_ = TRY(select(connection, {}));
    if (const auto window = TRY(oplog_window(connection))) judge_window(*window, *bytes, findings);
    else
        findings.push_back(
            notice("how far the oplog reaches back cannot be told: this user may not "
                   "read it",
                   "db.getSiblingDB(\"admin\").grantRolesToUser(USER, "
                   "[\"clusterMonitor\"])"));
    const auto stream =
        open_stream(TRY(Connection::connect(options("check"))), {"", connection.operation_time()});
    if (stream) {
        findings.push_back(
            ok(std::string("a change stream can be opened over ") +
               (stream_request({}).database.empty() ? "the deployment" : "the database")));
        return findings;
    }
    findings.push_back(with_grant(stream.error(), stream_request({}).database));
    return findings;
}

auto MongoSource::describe_tables() -> Result<std::vector<DescribedTable>> {
    auto connection = TRY(Connection::connect(options("check")));
    TRY(check_server(connection));
    // Shapes of this look alone.
    auto book = TRY(ShapeBook::open({}, shape_rules()));
    std::vector<DescribedTable> described;
    for (const auto& name : TRY(select(connection, {}))) {
        TRY(look_at(connection, named(name), *book, row_rules()));
        const auto shape = book->find(name);
        if (!shape) continue;  // empty, so nothing is known of it
        DescribedTable one{.schema = shape->schema(), .must_be_whole = must_be_whole(name)};
        if (config_.update_mode == UpdateMode::delta && may_be_partial(name)) {
            for (const auto& column : one.schema->columns) one.unsent.insert(column.name);
            one.refusal = delta_refusal(name);
        }
        described.push_back(std::move(one));
    }
    return described;
}

}  // namespace leat::mongodb
