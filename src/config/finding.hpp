// Finding and Checkable: what `leat check` learns from a connector without changing anything.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace leat {

enum class Severity {
    ok,       // looked at and fine
    notice,   // works, but worth knowing
    problem,  // `leat run` would refuse
};

// `what` says what was looked at and found; `remedy` the exact statement or setting that cures it.
struct Finding {
    Severity severity = Severity::ok;
    std::string what;
    std::string remedy;
    Code code = Code::none;
};

// What would end a run, or could not be looked at: a problem, in the same words.
inline auto problem_of(const Error& error) -> Finding {
    return {Severity::problem, error.what, error.hint, error.code};
}

// Optional for every connector (found by dynamic_cast). Not beside any other call; makes and
// changes nothing at the other side. An Error only when it could not look at all.
class Checkable {
public:
    virtual ~Checkable() = default;
    virtual auto check() -> Result<std::vector<Finding>> = 0;
};

}  // namespace leat
