// The policy table; see policy.hpp.
#include "pipeline/policy.hpp"

#include "base/check.hpp"

namespace leat {

auto answer_to(Fault fault) -> Action {
    switch (fault) {
        case Fault::retry: return Action::back_off;
        case Fault::uncertain: return Action::reopen;
        case Fault::poison:
        case Fault::config:
        case Fault::fatal: return Action::stop;
    }
    CHECK(false);
}

auto in_brackets(Code code) -> std::string {
    return code == Code::none ? "" : " [" + to_string(code) + "]";
}

auto describe(const Error& error) -> std::string {
    std::string text = error.what + in_brackets(error.code);
    if (!error.context.empty()) text = error.context + ": " + text;
    if (!error.hint.empty()) text += "\n  next step: " + error.hint;
    return text;
}

}  // namespace leat
