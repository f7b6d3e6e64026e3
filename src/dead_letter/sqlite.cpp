// SQLite; see sqlite.hpp.
#include "dead_letter/sqlite.hpp"

namespace leat::sqlite {

namespace {

auto error_of(sqlite3* database) -> Error {
    const int code = sqlite3_errcode(database) & 0xff;
    const bool passing = code == SQLITE_BUSY || code == SQLITE_FULL || code == SQLITE_NOMEM ||
                         code == SQLITE_IOERR || code == SQLITE_LOCKED;
    return Error{passing ? Fault::retry : Fault::fatal,
                 std::string("dead letters: ") + sqlite3_errmsg(database),
                 passing ? "Make room on the disk, or end what locks the file." : "", "sqlite",
                 Code::letters_store};
}

constexpr int wait_ms = 5000;

}  // namespace

auto Statement::bind(int index, std::string_view text) -> Statement& {
    sqlite3_bind_text64(handle_.get(), index, text.data(), text.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
    return *this;
}
auto Statement::bind_bytes(int index, std::string_view bytes) -> Statement& {
    sqlite3_bind_blob64(handle_.get(), index, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    return *this;
}
auto Statement::bind(int index, std::int64_t number) -> Statement& {
    sqlite3_bind_int64(handle_.get(), index, number);
    return *this;
}

auto Statement::step() -> Result<bool> {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return error_of(sqlite3_db_handle(handle_.get()));
}

auto Statement::reset() -> void { sqlite3_reset(handle_.get()); }

auto Statement::run() -> Result<void> {
    const auto done = step();
    reset();
    if (!done) return done.error();
    return {};
}

auto Statement::text(int column) const -> std::string {
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    const auto size = sqlite3_column_bytes(handle_.get(), column);
    return bytes == nullptr ? "" : std::string(bytes, static_cast<std::size_t>(size));
}
auto Statement::number(int column) const -> std::int64_t {
    return sqlite3_column_int64(handle_.get(), column);
}
auto Statement::is_null(int column) const -> bool {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

auto Database::open(const std::filesystem::path& path, Access access) -> Result<Database> {
    sqlite3* raw = nullptr;
    const int flags = access == Access::read ? SQLITE_OPEN_READWRITE
                                             : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    Database database(raw);
    if (code != SQLITE_OK) {
        auto error = error_of(raw);
        error.context = path.string();
        return error;
    }
    sqlite3_busy_timeout(raw, wait_ms);
    if (access == Access::read) TRY(database.execute("PRAGMA query_only = on"));
    else TRY(database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
    return database;
}

auto Database::execute(const char* sql) -> Result<void> {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return error_of(handle_.get());
    return {};
}

auto Database::prepare(std::string_view sql) -> Result<Statement> {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &raw,
                           nullptr) != SQLITE_OK)
        return error_of(handle_.get());
    return Statement(raw);
}

}  // namespace leat::sqlite
