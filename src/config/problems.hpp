// Everything that is wrong with one configuration file, collected and shown at once.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/source_file.hpp"

namespace leat::config {

struct Problem {
    Span where;
    std::string message;  // lower case, without values that may be secret
    std::string hint;     // one imperative sentence or a "did you mean", or empty
};

// Used by one thread while a file is read; borrows the file, which must outlive it.
class Problems {
public:
    explicit Problems(const SourceFile& file) : file_(&file) {}

    auto add(const Span& where, std::string message, std::string hint = {}) -> void;
    [[nodiscard]] auto empty() const -> bool { return problems_.empty(); }
    // Further problems are counted only: finding their exact place is no longer worth it.
    [[nodiscard]] auto full() const -> bool;
    [[nodiscard]] auto count() const -> std::size_t { return problems_.size() + left_out_; }
    [[nodiscard]] auto list() const -> const std::vector<Problem>& { return problems_; }
    [[nodiscard]] auto file() const -> const SourceFile& { return *file_; }

    // In the order of the file, each `file:line:column: error: message; hint` with its line and a
    // caret range, each line with its line feed.
    [[nodiscard]] auto render() const -> std::string;
    // One Error{Fault::config} whose `what` is render() without the last line feed, to be printed
    // as it is; `context` is the file.
    [[nodiscard]] auto result() const -> Result<void>;

private:
    const SourceFile* file_;
    std::vector<Problem> problems_;
    std::size_t left_out_ = 0;  // a file of nothing but errors is not worth its memory
};

// 'text', shortened and with control characters made visible: for names the user wrote.
auto in_quotes(std::string_view text) -> std::string;

// Edits (insert, delete, replace, swap of neighbours) that turn one word into the other.
auto edits(const std::string& a, const std::string& b) -> std::size_t;

// The known name that a person who wrote `name` most likely meant; empty where none is near.
auto nearest(std::string_view name, std::span<const std::string_view> known) -> std::string_view;

// "did you mean 'x'?" where a known name is near, else "use one of a, b, c".
auto suggest(std::string_view name, std::span<const std::string_view> known) -> std::string;

}  // namespace leat::config
