// Definitions: what each output table of a sink is computed by, from the begin of its image on, kept
// beside the dead letters. Rows that are in a sink are never computed again, so where a transform says
// something else now, or a table was not wanted before, its image is taken anew.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "change/progress.hpp"

namespace leat {

// `source`: the target name of the source's table. `steps`: the transforms on the way, each in a
// text of its own; none: rows go on as they are.
struct Definition {
    std::string source;
    std::vector<std::string> steps;

    friend auto operator==(const Definition&, const Definition&) -> bool = default;
};

// Owned and called by one lane thread.
class Definitions {
public:
    // Whether two texts of a step make the same rows: spaces and comments do not count.
    using SameStep = std::function<Result<bool>(const std::string&, const std::string&)>;

    // No file: nothing is noted. One that cannot be read is refused (config).
    static auto make(std::filesystem::path file, SameStep same_step)
        -> Result<std::unique_ptr<Definitions>>;

    // False: not noted, made by something else, or noted by a later process than the one that wrote
    // the sink's progress last: then it is an older copy, of rows that another definition made.
    auto is_noted(const std::string& output, const Definition& now, Incarnation held) const
        -> Result<bool>;

    // Changes are on disk when sync() returns.
    using IsKept = std::function<bool(const std::string& output, const Definition& noted)>;
    auto keep(const IsKept& is_kept) -> void;
    auto note(const std::string& output, Definition now, Incarnation by) -> void;
    auto sync() -> Result<void>;

private:
    Definitions(std::filesystem::path file, SameStep same_step);
    auto read() -> Result<void>;

    const std::filesystem::path file_;
    const SameStep same_step_;
    struct Noted {
        Definition definition;
        Incarnation since = 0;
    };
    std::map<std::string, Noted> noted_;
    bool is_dirty_ = false;
};

// Where a sink's notes are, below the pipeline's data folder.
auto definitions_file(const std::filesystem::path& data, const std::string& sink)
    -> std::filesystem::path;

}  // namespace leat
