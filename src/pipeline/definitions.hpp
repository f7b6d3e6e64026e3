// Definitions: what each output table of a sink was computed by, kept beside the dead letters. Rows
// that are in a sink are never computed again, so a transform that says something else now must
// not go on over them unnoticed.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace leat {

// `source`: the target name of the source's table. `steps`: the transforms on the way, each in a
// text of its own; none: rows go on as they are.
struct Definition {
    std::string source;
    std::vector<std::string> steps;
};

// Owned and called by one lane thread.
class Definitions {
public:
    // Whether two texts of a step make the same rows: spaces and comments do not count.
    using SameStep = std::function<Result<bool>(const std::string&, const std::string&)>;

    // No file: nothing is noted. One that cannot be read is refused (config).
    static auto make(std::filesystem::path file, SameStep same_step)
        -> Result<std::unique_ptr<Definitions>>;

    // The sink holds nothing yet: what was noted is void.
    auto forget() -> void;
    // Refuses (config) an output that was made by something else; one that is not noted is new.
    auto check(const std::string& output, const Definition& now) const -> Result<void>;
    // From the next sync() on.
    auto note(const std::string& output, Definition now) -> void;
    // On disk when it returns; called before the sink commits rows of a new output.
    auto sync() -> Result<void>;

private:
    Definitions(std::filesystem::path file, SameStep same_step);
    auto read() -> Result<void>;

    const std::filesystem::path file_;
    const SameStep same_step_;
    std::map<std::string, Definition> noted_;
    bool is_dirty_ = false;
};

// Where a sink's notes are, below the pipeline's data folder.
auto definitions_file(const std::filesystem::path& data, const std::string& sink)
    -> std::filesystem::path;

}  // namespace leat
