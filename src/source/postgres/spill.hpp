// SpillFile: the raw messages of one transaction that is too large for memory or not yet committed,
// on disk until its end. Scratch only: a restart receives the transaction again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.hpp"

namespace leat::postgres {

// Written in blocks (append…, pause), then read once. The file goes with the object. One thread.
class SpillFile {
public:
    explicit SpillFile(std::filesystem::path path);
    ~SpillFile();
    SpillFile(const SpillFile&) = delete;
    auto operator=(const SpillFile&) -> SpillFile& = delete;

    auto append(std::string_view message) -> Result<void>;
    // Writes out what is buffered and lets go of the descriptor until the next append.
    auto pause() -> Result<void>;

    // A rolled-back subtransaction: its messages are to be passed over.
    auto abort_subtransaction(std::uint32_t xid) -> void { aborted_.insert(xid); }
    [[nodiscard]] auto is_aborted(std::uint32_t xid) const -> bool {
        return aborted_.contains(xid);
    }

    // The next message in order; nothing: all were read. The view lives until the next call.
    auto next() -> Result<std::optional<std::string_view>>;

private:
    auto open(int flags) -> Result<void>;
    auto write_out() -> Result<void>;
    auto close() -> void;
    auto fill(std::size_t wanted) -> Result<bool>;
    [[nodiscard]] auto failure(const char* doing) const -> Error;

    std::filesystem::path path_;
    int descriptor_ = -1;
    std::string buffer_;
    std::size_t read_at_ = 0;
    std::unordered_set<std::uint32_t> aborted_;
};

// Removes what an earlier process left.
auto remove_spill_files(const std::filesystem::path& folder) -> Result<void>;
auto spill_path(const std::filesystem::path& folder, std::uint32_t xid) -> std::filesystem::path;

}  // namespace leat::postgres
