// How far back the server's oplog reaches.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "source/mongodb/client.hpp"

namespace leat::mongodb {

struct OplogWindow {
    std::uint64_t first = 0;  // cluster times of its ends
    std::uint64_t last = 0;
    bool is_full = false;  // what comes pushes out what was

    [[nodiscard]] auto seconds() const -> double;
};

// Nothing: this user may not read it, or it is a router.
auto oplog_window(Connection& connection) -> Result<std::optional<OplogWindow>>;

// True: it reaches back to before this cluster time and beyond it, and has no entry of it, so that
// it is another history. False: not so, or not to be told.
auto lacks_entry(Connection& connection, std::uint64_t commit) -> Result<bool>;

}  // namespace leat::mongodb
