// One page of `leat explain`: what a person needs who meets the code for the first time, at night.
#pragma once

#include <string_view>

#include "base/error_code.hpp"

namespace leat::cli {

struct ErrorPage {
    Code code;
    std::string_view title;    // one line
    std::string_view meaning;  // what has happened, and what leat does about it by itself
    std::string_view data;     // what becomes of the changes meanwhile
    std::string_view steps;    // one step per line
    std::string_view last_way{};  // what mends it where the steps do not
};
inline constexpr std::string_view or_start_anew =
    "To start anew: `leat drop FILE`, move the warehouse file away, `leat run FILE`. That takes a "
    "new snapshot of every table.";
inline constexpr std::string_view or_read_anew =
    "Set `on_gap: resnapshot` in `run:` and start again. All tables are read anew, beside what the "
    "sinks hold, and take its place once they are whole; what was deleted meanwhile goes.";

// What holds for many. A source's changes wait at the source until the log has them.
inline constexpr std::string_view waits_at_source =
    "Nothing is lost. Nothing more is read: the server keeps its write-ahead log for the slot, on "
    "its own disk, until leat reads again.";
inline constexpr std::string_view waits_in_log =
    "Nothing is lost. Capture and the other sinks go on; the log keeps what this sink has not "
    "taken, up to queue.max_bytes.";
inline constexpr std::string_view not_started =
    "Nothing is lost: nothing was begun or changed.";
inline constexpr std::string_view only_this_request =
    "Nothing is lost: the pipeline itself is not touched by it.";

}  // namespace leat::cli
