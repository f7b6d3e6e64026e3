// LetterBox: the dead letters of one sink, in one SQLite file. Written by the sink's lane, whose
// epochs are its transactions; read by the command line beside it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "dead_letter/letter.hpp"
#include "dead_letter/sqlite.hpp"

namespace leat {

// How a key stands that has an open letter.
struct OpenLetter {
    bool has_base = false;
};

// Owned and called by one lane thread. Every answer is given as of the position asked for, so that
// a replay from any earlier place decides as the first time did. The file is made with the first
// letter; a lane without letters has none.
class LetterBox {
public:
    static auto make(const std::filesystem::path& file, std::string pipeline, std::string sink)
        -> Result<std::unique_ptr<LetterBox>>;

    // Whether any letter, open or not, was ever written for the table.
    [[nodiscard]] auto knows(const std::string& target) const -> bool;

    // The id is pipeline, sink, table, position and rule: a repeat changes nothing.
    // Fault::fatal at the cap of 1,000,000 letters: nothing is ever dropped.
    auto add(const Letter& letter) -> Result<void>;

    // The newest letter of the key that was open just before this position.
    auto open_before(const std::string& target, const std::string& key, const Position& position)
        -> Result<std::optional<OpenLetter>>;

    // A whole row or a delete of the key stands at this position; an empty key: the table was
    // emptied. `including`: letters at the position itself too (the row went on its way now).
    auto supersede(const std::string& target, const std::string& key, const Position& position,
                   bool including) -> Result<void>;

    // Everything so far is on disk when this returns. Called before the sink commits. What was not
    // synced goes with the box: the epoch is abandoned.
    auto sync() -> Result<void>;

private:
    struct Statements {
        sqlite::Statement add;
        sqlite::Statement open_before;
        sqlite::Statement supersede;
        sqlite::Statement supersede_all;
    };

    LetterBox(std::filesystem::path file, std::string pipeline, std::string sink);
    auto open() -> Result<void>;
    auto load_keys() -> Result<void>;
    auto begin() -> Result<void>;

    const std::filesystem::path file_;
    const std::string pipeline_;
    const std::string sink_;
    std::optional<sqlite::Database> database_;
    std::optional<Statements> statements_;
    bool in_transaction_ = false;
    // Keys that have letters, so that the many rows without any cost no query.
    std::map<std::string, std::set<std::string>> keys_;
    std::size_t count_ = 0;
};

// What to look at; empty members do not restrict. Times are commit times, microseconds UTC.
struct LetterFilter {
    std::string id{};
    std::string table{};  // target
    std::string rule{};
    std::string key{};    // a value of the key
    std::optional<std::int64_t> from_us{};
    std::optional<std::int64_t> until_us{};
    bool open_only = false;
};
struct StoredLetter {
    std::string id;
    Letter letter;
    std::string position;
    std::string superseded;  // the position; empty: open
};
// In order of position. No file: no letters.
auto read_letters(const std::filesystem::path& file, const LetterFilter& filter)
    -> Result<std::vector<StoredLetter>>;

// Open letters, by target table and by reason; what has none is not named.
struct OpenLetters {
    std::map<std::string, std::int64_t> by_target{};
    std::map<std::string, std::int64_t> by_reason{};
    std::int64_t oldest_us = 0;  // commit time
};
// Any thread; no file: none.
auto count_open_letters(const std::filesystem::path& file) -> Result<OpenLetters>;

// Where a sink's letters are, below the pipeline's data folder.
auto letter_file(const std::filesystem::path& data, const std::string& sink)
    -> std::filesystem::path;

}  // namespace leat
