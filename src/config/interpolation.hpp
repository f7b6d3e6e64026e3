// ${env:NAME} and ${file:PATH} inside values. Works on the parsed tree, so that what a variable
// holds stays text of one value and cannot add keys. `$${` stands for a plain `${`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/node.hpp"
#include "config/problems.hpp"

namespace leat::config {

// Where the values come from.
class Lookup {
public:
    virtual ~Lookup() = default;
    [[nodiscard]] virtual auto variable(const std::string& name) const
        -> std::optional<std::string> = 0;
    // The content without a line feed at its end.
    [[nodiscard]] virtual auto file(const std::filesystem::path& path) const
        -> Result<std::string> = 0;
};

// The environment of this process and its file system.
class ProcessLookup final : public Lookup {
public:
    [[nodiscard]] auto variable(const std::string& name) const
        -> std::optional<std::string> override;
    [[nodiscard]] auto file(const std::filesystem::path& path) const
        -> Result<std::string> override;
};

// Replaces references in all scalar values below `node`, once (what comes in is not looked at
// again), never in keys. A reference that cannot be replaced is a problem at its place, and its
// value becomes absent.
auto interpolate(Node& node, const Lookup& lookup, Problems& problems) -> void;

}  // namespace leat::config
