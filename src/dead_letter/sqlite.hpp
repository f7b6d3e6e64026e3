// SQLite behind owning types: a database, prepared statements, values by position.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace leat::sqlite {

class Database;

// One statement, run again and again. Not beside another use of its database.
class Statement {
public:
    // Parameters count from 1, columns from 0.
    auto bind(int index, std::string_view text) -> Statement&;
    auto bind_bytes(int index, std::string_view bytes) -> Statement&;
    auto bind(int index, std::int64_t number) -> Statement&;
    // True: a row is there. Bindings stay; reset() begins anew.
    auto step() -> Result<bool>;
    auto reset() -> void;
    // Runs a statement without rows.
    auto run() -> Result<void>;

    [[nodiscard]] auto text(int column) const -> std::string;  // bytes too
    [[nodiscard]] auto number(int column) const -> std::int64_t;
    [[nodiscard]] auto is_null(int column) const -> bool;

private:
    friend class Database;
    struct Finalize {
        auto operator()(sqlite3_stmt* statement) const -> void { sqlite3_finalize(statement); }
    };
    explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

enum class Access : std::uint8_t { read, write };

class Database {
public:
    // `write` makes the file where there is none; every commit is synced to disk.
    static auto open(const std::filesystem::path& path, Access access) -> Result<Database>;

    auto execute(const char* sql) -> Result<void>;
    auto prepare(std::string_view sql) -> Result<Statement>;

private:
    struct Close {
        auto operator()(sqlite3* database) const -> void { sqlite3_close_v2(database); }
    };
    explicit Database(sqlite3* handle) : handle_(handle) {}
    std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace leat::sqlite
