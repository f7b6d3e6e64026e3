// ATTACH, COPY FROM DATABASE, rename; see copy.hpp.
#include "sink/duckdb/copy.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/sync.hpp"

namespace leat::duckdb {

namespace {

auto unfinished(const std::filesystem::path& path) -> std::filesystem::path {
    return path.string() + ".unfinished";
}

auto failed(const std::string& what, const std::filesystem::path& path) -> Error {
    return Error{Fault::retry, "copy: " + what + ": " + std::strerror(errno),
                 "Name a path for the copy where this user may write and there is room.",
                 path.string(), Code::duckdb_copy};
}

auto forget(const std::filesystem::path& path) -> void {
    std::error_code ignored;
    for (const auto& file : copy_files(path)) std::filesystem::remove(file, ignored);
}

auto fill(Connection& connection, const std::filesystem::path& path, const std::stop_token& stop)
    -> Result<void> {
    const auto statements = {
        std::string("DETACH DATABASE IF EXISTS leat_copy"),
        "ATTACH " + literal(unfinished(path).string()) + " AS leat_copy",
        "COPY FROM DATABASE " + std::string(attached_name) + " TO leat_copy",
        std::string("CHECKPOINT leat_copy"), std::string("DETACH leat_copy")};
    for (const auto& statement : statements) {
        if (stop.stop_requested()) return Error{Fault::retry, "stopped", "", "copy"};
        TRY(connection.execute(statement));
    }
    return {};
}

auto put_in_place(const std::filesystem::path& path) -> Result<void> {
    if (!sync_file(unfinished(path))) return failed("file cannot be synced", path);
    // Somebody who wrote into the former copy has left this; it must not be replayed on the next.
    std::error_code ignored;
    std::filesystem::remove(path.string() + ".wal", ignored);
    if (::rename(unfinished(path).c_str(), path.c_str()) != 0)
        return failed("file cannot be renamed", path);
    if (!sync_folder(path.parent_path()))
        return failed("folder cannot be synced", path);
    return {};
}

}  // namespace

auto copy_files(const std::filesystem::path& path) -> std::vector<std::filesystem::path> {
    const auto file = unfinished(path).string();
    return {file, file + ".wal", file + ".wal.checkpoint", file + ".wal.recovery"};
}

auto copy_database(Connection& connection, const std::filesystem::path& path,
                   const std::stop_token& stop) -> Result<void> {
    forget(path);
    auto filled = [&] {
        const std::stop_callback interrupt(stop, [&] { connection.interrupt(); });
        return fill(connection, path, stop);
    }();
    if (filled) filled = put_in_place(path);
    if (filled) return {};
    const auto detached = connection.execute("DETACH DATABASE IF EXISTS leat_copy");
    static_cast<void>(detached);  // the next copy does it first
    forget(path);
    filled.error().fault = Fault::retry;
    if (filled.error().hint.empty())
        filled.error().hint = "Name a path for the copy where this user may write and there is room.";
    return filled;
}

}  // namespace leat::duckdb
