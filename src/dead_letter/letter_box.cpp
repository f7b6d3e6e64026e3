// The SQLite form of dead letters; see letter_box.hpp.
#include "dead_letter/letter_box.hpp"

#include <algorithm>
#include <utility>

#include "base/sync.hpp"

namespace leat {

namespace {

constexpr std::size_t letters_max = 1'000'000;

constexpr auto make_tables =
    "CREATE TABLE IF NOT EXISTS letter (id TEXT PRIMARY KEY, target TEXT NOT NULL, "
    "source_schema TEXT NOT NULL, source_table TEXT NOT NULL, version INTEGER NOT NULL, "
    "position TEXT NOT NULL, commit_time INTEGER NOT NULL, op TEXT NOT NULL, "
    "reason INTEGER NOT NULL, rule TEXT NOT NULL, error TEXT NOT NULL, key TEXT NOT NULL, "
    "has_base INTEGER NOT NULL, row BLOB NOT NULL, superseded TEXT); "
    "CREATE INDEX IF NOT EXISTS letter_by_key ON letter (target, key, position)";

// A letter that an earlier run wrote and then superseded by the row itself is open again.
constexpr auto add_sql =
    "INSERT INTO letter VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, NULL) "
    "ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, error = excluded.error, "
    "has_base = excluded.has_base, "
    "superseded = CASE WHEN superseded = position THEN NULL ELSE superseded END";
constexpr auto open_sql =
    "SELECT has_base FROM letter WHERE target = ?1 AND key = ?2 AND position < ?3 "
    "AND (superseded IS NULL OR superseded >= ?3) ORDER BY position DESC LIMIT 1";
constexpr auto supersede_sql =
    "UPDATE letter SET superseded = ?3 WHERE target = ?1 AND key = ?2 AND "
    "(position < ?3 OR (?4 AND position = ?3)) AND superseded IS NULL";
constexpr auto supersede_all_sql =
    "UPDATE letter SET superseded = ?2 WHERE target = ?1 AND position < ?2 AND superseded IS NULL";

auto keep_name(const std::filesystem::path& file) -> Result<void> {
    const auto folder = file.parent_path();
    if (sync_folder(folder) && sync_folder(folder.parent_path())) return {};
    return Error{Fault::retry, "dead letters: folder cannot be synced", "", folder.string(),
                 Code::letters_store};
}

}  // namespace

auto letter_file(const std::filesystem::path& data, const std::string& sink)
    -> std::filesystem::path {
    return data / "dead_letters" / (sink + ".sqlite");
}

LetterBox::LetterBox(std::filesystem::path file, std::string pipeline, std::string sink)
    : file_(std::move(file)), pipeline_(std::move(pipeline)), sink_(std::move(sink)) {}

auto LetterBox::make(const std::filesystem::path& file, std::string pipeline, std::string sink)
    -> Result<std::unique_ptr<LetterBox>> {
    auto box = std::unique_ptr<LetterBox>(
        new LetterBox(file, std::move(pipeline), std::move(sink)));
    if (std::filesystem::exists(file)) TRY(box->open());
    return box;
}

auto LetterBox::open() -> Result<void> {
    std::error_code error;
    std::filesystem::create_directories(file_.parent_path(), error);
    if (error)
        return Error{Fault::config, "dead letters: folder cannot be made: " + error.message(),
                     "Give this user the right to write there.", file_.parent_path().string(),
                     Code::letters_store};
    database_.emplace(TRY(sqlite::Database::open(file_, sqlite::Access::write)));
    TRY(database_->execute(make_tables));
    TRY(keep_name(file_));
    statements_.emplace(Statements{TRY(database_->prepare(add_sql)),
                                   TRY(database_->prepare(open_sql)),
                                   TRY(database_->prepare(supersede_sql)),
                                   TRY(database_->prepare(supersede_all_sql))});
    return load_keys();
}

auto LetterBox::load_keys() -> Result<void> {
    keys_.clear();
    count_ = 0;
    auto all = TRY(database_->prepare("SELECT target, key FROM letter"));
    while (TRY(all.step())) {
        keys_[all.text(0)].insert(all.text(1));
        ++count_;
    }
    return {};
}

auto LetterBox::knows(const std::string& target) const -> bool { return keys_.contains(target); }

auto LetterBox::begin() -> Result<void> {
    if (in_transaction_) return {};
    TRY(database_->execute("BEGIN IMMEDIATE"));
    in_transaction_ = true;
    return {};
}

auto LetterBox::add(const Letter& letter) -> Result<void> {
    if (!database_) TRY(open());
    if (count_ >= letters_max)
        return Error{Fault::fatal,
                     "dead letters: there are " + std::to_string(count_) + " of this sink",
                     "Mend what rejects the rows, move the file away and rebuild the table.",
                     file_.string(), Code::letters_full};
    TRY(begin());
    const auto position = sortable(letter.position);
    const auto id =
        pipeline_ + ":" + sink_ + ":" + letter.target + ":" + position + ":" + letter.rule;
    const char op = static_cast<char>(letter.op);
    auto& add = statements_->add;
    add.bind(1, id).bind(2, letter.target).bind(3, letter.source.schema);
    add.bind(4, letter.source.table).bind(5, static_cast<std::int64_t>(letter.version));
    add.bind(6, position).bind(7, letter.commit_time_us).bind(8, std::string_view(&op, 1));
    add.bind(9, static_cast<std::int64_t>(letter.reason)).bind(10, letter.rule);
    add.bind(11, letter.text).bind(12, letter.key);
    add.bind(13, static_cast<std::int64_t>(letter.has_base)).bind_bytes(14, letter.row);
    TRY(add.run());
    keys_[letter.target].insert(letter.key);
    ++count_;
    return {};
}

auto LetterBox::open_before(const std::string& target, const std::string& key,
                            const Position& position) -> Result<std::optional<OpenLetter>> {
    const auto table = keys_.find(target);
    if (table == keys_.end() || !table->second.contains(key)) return std::optional<OpenLetter>();
    auto& query = statements_->open_before;
    query.bind(1, target).bind(2, key).bind(3, sortable(position));
    const auto found = query.step();
    std::optional<OpenLetter> letter;
    if (found && *found) letter = OpenLetter{query.number(0) != 0};
    query.reset();
    if (!found) return found.error();
    return letter;
}

auto LetterBox::supersede(const std::string& target, const std::string& key,
                          const Position& position, bool including) -> Result<void> {
    const auto table = keys_.find(target);
    if (table == keys_.end()) return {};
    if (!key.empty() && !table->second.contains(key)) return {};
    TRY(begin());
    if (key.empty())
        return statements_->supersede_all.bind(1, target).bind(2, sortable(position)).run();
    auto& update = statements_->supersede;
    update.bind(1, target).bind(2, key).bind(3, sortable(position));
    return update.bind(4, static_cast<std::int64_t>(including)).run();
}

auto LetterBox::sync() -> Result<void> {
    if (!in_transaction_) return {};
    TRY(database_->execute("COMMIT"));
    in_transaction_ = false;
    return {};
}

auto read_letters(const std::filesystem::path& file, const LetterFilter& filter)
    -> Result<std::vector<StoredLetter>> {
    std::vector<StoredLetter> letters;
    if (!std::filesystem::exists(file)) return letters;
    auto database = TRY(sqlite::Database::open(file, sqlite::Access::read));
    auto query = TRY(database.prepare(
        "SELECT id, target, source_schema, source_table, version, position, commit_time, op, "
        "reason, rule, error, key, has_base, row, superseded FROM letter WHERE "
        "(?1 = '' OR id = ?1) AND (?2 = '' OR target = ?2) AND (?3 = '' OR rule = ?3) AND "
        "(?4 = '' OR EXISTS (SELECT 1 FROM json_each(letter.key) WHERE value = ?4)) AND "
        "commit_time >= ?5 AND commit_time <= ?6 AND (?7 = 0 OR superseded IS NULL) "
        "ORDER BY position, id"));
    query.bind(1, filter.id).bind(2, filter.table).bind(3, filter.rule).bind(4, filter.key);
    query.bind(5, filter.from_us.value_or(INT64_MIN)).bind(6, filter.until_us.value_or(INT64_MAX));
    query.bind(7, static_cast<std::int64_t>(filter.open_only));
    while (TRY(query.step())) {
        StoredLetter stored;
        stored.id = query.text(0);
        auto& letter = stored.letter;
        letter.target = query.text(1);
        letter.source = {query.text(2), query.text(3)};
        letter.version = static_cast<std::uint64_t>(query.number(4));
        stored.position = query.text(5);
        letter.commit_time_us = query.number(6);
        letter.op = static_cast<Op>(query.text(7).front());
        letter.reason = static_cast<RejectReason>(query.number(8));
        letter.rule = query.text(9);
        letter.text = query.text(10);
        letter.key = query.text(11);
        letter.has_base = query.number(12) != 0;
        letter.row = query.text(13);
        stored.superseded = query.text(14);
        letters.push_back(std::move(stored));
    }
    return letters;
}

auto count_open_letters(const std::filesystem::path& file) -> Result<OpenLetters> {
    OpenLetters open;
    if (!std::filesystem::exists(file)) return open;
    auto database = TRY(sqlite::Database::open(file, sqlite::Access::read));
    auto query = TRY(database.prepare(
        "SELECT target, reason, count(*), min(commit_time) FROM letter WHERE superseded IS NULL "
        "GROUP BY target, reason"));
    while (TRY(query.step())) {
        const auto reason = to_string(static_cast<RejectReason>(query.number(1)));
        const auto count = query.number(2);
        const auto oldest_us = query.number(3);
        const bool is_first = open.by_target.empty();
        open.by_target[query.text(0)] += count;
        open.by_reason[std::string(reason)] += count;
        open.oldest_us = is_first ? oldest_us : std::min(open.oldest_us, oldest_us);
    }
    return open;
}

}  // namespace leat
