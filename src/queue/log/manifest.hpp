// The files that say whose log a folder is and who works on it: log.json, LOCK and the hints.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "change/progress.hpp"
#include "queue/log/disk.hpp"
#include "queue/log/segment.hpp"

namespace leat::log_queue {

// log.json: written once, when the log is made.
struct Manifest {
    Uuid log{};
    std::string pipeline;
    std::uint32_t format = format_version;
};
// Nothing: the folder holds no log.
auto read_manifest(Disk& disk, const Path& folder) -> Result<std::optional<Manifest>>;
auto write_manifest(Disk& disk, const Path& folder, const Manifest& manifest) -> Result<void>;

// One process at a time writes to a log. Held until destroyed; the kernel lets go of it when the
// process dies.
class FolderLock {
public:
    static auto take(const Path& folder) -> Result<FolderLock>;
    // Who holds it now: a process id, "unknown", or empty for nobody. Takes nothing.
    static auto owner(const Path& folder) -> std::string;
    // Whether the folder is still the one that was locked: not unmounted, removed or replaced.
    // Fault::fatal if not; a file made in it now would be on another volume.
    [[nodiscard]] auto still_there(const Path& folder) const -> Result<void>;
    FolderLock(FolderLock&& other) noexcept;
    auto operator=(FolderLock&& other) noexcept -> FolderLock&;
    ~FolderLock();

private:
    explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

// What the log knew when it last wrote it down; losing it costs only re-reading.
struct Hints {
    Incarnation incarnation = 0;
    std::uint64_t changes_end = 0;  // everything below was durable
    std::uint64_t snapshot_end = 0;
    std::map<std::string, Offsets> released;  // by lane
};

// The file `state`: two slots, written in turn; the newer valid one counts. One thread at a time.
class HintFile {
public:
    HintFile(Disk& disk, Path folder) : disk_(disk), folder_(std::move(folder)) {}
    auto read() -> Result<std::optional<Hints>>;
    auto write(const Hints& hints, bool durable) -> Result<void>;

private:
    Disk& disk_;
    Path folder_;
    std::uint64_t sequence_ = 0;
};

}  // namespace leat::log_queue
