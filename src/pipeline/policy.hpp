// The one function that turns a Fault into what the engine does about it.
#pragma once

#include "base/result.hpp"

namespace leat {

enum class Action {
    back_off,  // make the component anew after a growing pause, from the durable position
    reopen,    // make it anew at once and compare: the last commit may or may not have happened
    stop,      // this part of the pipeline ends; its data stay where they are
};

// poison ends the lane: single rows are set aside before it comes to that (pipeline/shaper).
auto answer_to(Fault fault) -> Action;

// " [PG-SLOT-LOST]", as it stands behind a message, or nothing.
auto in_brackets(Code code) -> std::string;

// "context: what [CODE]", and the next step in a line of its own, for a person.
auto describe(const Error& error) -> std::string;

}  // namespace leat
