// PostgresSource and the membership of its tables: compared when it is opened, and once a minute.
#include "observe/log.hpp"
#include "source/postgres/postgres_source.hpp"

namespace leat::postgres {

namespace {

constexpr Duration ask_every = std::chrono::minutes(1);

}  // namespace

auto PostgresSource::membership_file() const -> std::filesystem::path {
    return context_.work_dir / "membership";
}

auto PostgresSource::ask_membership(Connection& sql, const std::stop_token& stop)
    -> Result<Membership> {
    MembershipRequest request{slot_, token_, publication_, {}};
    for (const auto& table : tables_) request.tables.push_back(table.oid);
    return load_membership(sql, request, stop);
}

auto PostgresSource::note_membership(Membership membership) -> Result<void> {
    TRY(write_membership(membership_file(), membership));
    membership_ = std::move(membership);
    is_noted_ = true;
    return {};
}

// Against what it was when this pipeline last looked. Tables without a schema are new to the
// stream, whatever they were.
auto PostgresSource::compare_membership(Connection& sql, const std::vector<SchemaPtr>& schemas)
    -> Result<void> {
    const auto was = TRY(read_membership(membership_file()));
    if (!was || !TRY(has_publication(sql, publication_)))
        return {};  // publish() tells of the latter
    const auto now = TRY(ask_membership(sql, {}));
    TRY(check_slot_mark(was->slot, now.slot));
    TRY(check_publication(*was, now));
    Result<void> found;
    for (const auto& schema : schemas) {
        const auto before = was->tables.find(schema->name);
        const auto after = now.tables.find(schema->name);
        if (before == was->tables.end() || after == now.tables.end()) continue;
        auto checked = check_membership(sql, {schema->name, before->second, after->second});
        if (checked) continue;
        if (checked.error().code != Code::pg_schema_change) return checked;
        if (config_.on_schema_change != OnSchemaChange::evolve)
            return frozen(std::move(checked).error(), config_.on_schema_change);
        stale_.insert(schema->name);
        found = std::move(checked);
    }
    return found;
}

// What has changed is judged by the next open(), with what it knows of the tables that are wanted.
// A server that does not answer now is asked again: the stream tells soon enough what is wrong.
auto PostgresSource::watch_membership(const std::stop_token& stop) -> Result<void> {
    // Not by open(): only now the log knows which tables have left.
    if (!is_noted_) TRY(note_membership(membership_));
    const auto now = context_.clock->steady();
    if (now - membership_asked_at_ < ask_every) return {};
    membership_asked_at_ = now;
    if (!asking_) {
        auto made = Connection::connect(options("membership"));
        if (!made) {
            log(LogLevel::warning, "source: membership of the tables was not looked at: {}",
                made.error().what);
            return {};
        }
        asking_ = std::move(made).value();
    }
    const auto asked = ask_membership(*asking_, stop);
    if (!asked) {
        asking_.reset();
        if (!stop.stop_requested())
            log(LogLevel::warning, "source: membership of the tables was not looked at: {}",
                asked.error().what);
        return {};
    }
    if (*asked == membership_) return {};
    auto checked = check_publication(membership_, *asked);
    for (const auto& [name, was] : membership_.tables) {
        if (!checked) break;
        const auto found = asked->tables.find(name);
        checked = found == asked->tables.end()
                      ? cannot_follow(name, "it was dropped or renamed")
                      : check_membership(*asking_, {name, was, found->second});
    }
    if (checked) return note_membership(*asked);
    checked.error().fault = Fault::retry;
    return checked;
}

}  // namespace leat::postgres
