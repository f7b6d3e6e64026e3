// Shows something now and then from a thread of its own: four times a second on a terminal that can
// be drawn on, every 10 s elsewhere, and once more when it is destroyed.
#pragma once

#include <functional>
#include <thread>

#include "base/clock.hpp"

namespace leat::cli {

class Periodic {
public:
    // `seconds` since it was shown last, for rates.
    using Show = std::function<void(bool terminal, double seconds)>;

    Periodic(Show show, const Clock& clock);

private:
    auto repeat(const std::stop_token& stop) -> void;

    const Show show_;
    const Clock& clock_;
    std::jthread thread_;
};

}  // namespace leat::cli
