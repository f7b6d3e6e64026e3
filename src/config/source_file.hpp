// The text of a configuration file as an error message needs it: lines, places and excerpts.
// Places are counted as an editor shows them: lines and columns from 1, columns in code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace leat::config {

// Line 0 stands for "not written in the file", e.g. a default.
struct Mark {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    auto operator<=>(const Mark&) const = default;
};

// From `start` up to, but not including, `end`.
struct Span {
    Mark start;
    Mark end;
    auto operator==(const Span&) const -> bool = default;
};

// Plain data, immutable after it is made. Line breaks are those of YAML 1.1, as libyaml counts
// them: CR, LF, CR LF, NEL, LS and PS.
class SourceFile {
public:
    static constexpr std::size_t max_bytes = 1U << 20U;

    SourceFile() = default;
    // `text` may hold any bytes; a UTF-8 byte order mark is dropped.
    SourceFile(std::string name, std::string text);
    // Refuses (config) what cannot be read, a folder, and more than max_bytes.
    static auto open(const std::filesystem::path& path) -> Result<SourceFile>;

    [[nodiscard]] auto name() const -> const std::string& { return name_; }
    [[nodiscard]] auto text() const -> const std::string& { return text_; }
    // Without its line break; empty where there is no such line.
    [[nodiscard]] auto line(std::uint32_t number) const -> std::string_view;
    [[nodiscard]] auto mark_at(std::size_t byte) const -> Mark;
    // Where `needle` stands within `span`, if it is written there on one line.
    [[nodiscard]] auto find(const Span& span, std::string_view needle) const -> std::optional<Span>;
    // The line of `span.start` with a caret range below it, secrets masked; two lines, each with
    // its line feed. Empty where there is no such line, or nothing on it.
    [[nodiscard]] auto excerpt(const Span& span) const -> std::string;

private:
    std::string name_;
    std::string text_;
    std::vector<std::size_t> line_starts_;
};

// The same text with every password that can be recognised replaced by as many asterisks: in
// `scheme://user:password@host` and after words such as `password:` and `token=`.
auto redact(std::string_view text) -> std::string;

// Reads a whole file of at most `max_bytes`. Refuses (config) like SourceFile::open.
auto read_file(const std::filesystem::path& path, std::size_t max_bytes) -> Result<std::string>;

}  // namespace leat::config
