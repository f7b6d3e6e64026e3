// What the source notes for its next start, each note a BSON document in a file of its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "source/mongodb/document.hpp"

namespace leat::mongodb {

// Nothing: there is no such file. Damaged, or not readable: config.
auto read_note(const std::filesystem::path& file) -> Result<std::optional<std::string>>;

// Durable when it returns, and never half of it. Where it cannot be written: retry.
auto write_note(const std::filesystem::path& file, const Document& note) -> Result<void>;

}  // namespace leat::mongodb
