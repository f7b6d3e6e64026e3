// Why a row could not go on its way: one list for transforms, lanes and dead letters.
#pragma once

#include <cstdint>
#include <string_view>

namespace leat {

// Dead letters hold the number: new ones come last.
enum class RejectReason : std::uint8_t {
    expression_failed,    // an expression of a transform raised an error: a cast, an overflow
    expectation_broken,   // an expectation with `dead_letter`
    incomplete_row,       // needs a value that the source did not send
    does_not_fit_target,  // the sink's verdict
    does_not_fit_column,  // the source's verdict: a value of another type than its column's
};

constexpr auto to_string(RejectReason reason) -> std::string_view {
    switch (reason) {
        case RejectReason::expression_failed: return "expression_failed";
        case RejectReason::expectation_broken: return "expectation_broken";
        case RejectReason::incomplete_row: return "incomplete_row";
        case RejectReason::does_not_fit_target: return "does_not_fit_target";
        case RejectReason::does_not_fit_column: return "does_not_fit_column";
    }
    return "";
}

}  // namespace leat
