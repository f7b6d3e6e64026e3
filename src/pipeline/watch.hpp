// Watch: looks at the source beside capture every few seconds, so that the status knows of a slot or
// a server that is in trouble before, and while, capture meets it.
#pragma once

#include <memory>
#include <stop_token>

#include "base/clock.hpp"
#include "pipeline/status.hpp"
#include "source/source.hpp"

namespace leat {

// Owned and called by one thread. An instance of the source of its own, never opened.
class Watch {
public:
    // Nothing to look at if the source is not Watchable; status then says so.
    Watch(std::unique_ptr<Source> source, Status& status, const Clock& clock);

    // Looks until stop is asked for.
    auto run(const std::stop_token& stop) -> void;
    // Looks once.
    auto look(const std::stop_token& stop) -> void;

private:
    const std::unique_ptr<Source> source_;
    Watchable* const watchable_;
    Status& status_;
    const Clock& clock_;
};

}  // namespace leat
