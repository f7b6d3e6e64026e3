// Waits for signals in a thread of its own; see signal_watch.hpp.
#include "cli/signal_watch.hpp"

#include <utility>

#include "cli/exit_code.hpp"
#include "observe/log.hpp"

namespace leat::cli {

SignalWatch::SignalWatch(std::string finishing) : finishing_(std::move(finishing)) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::jthread([this](const std::stop_token& done) { watch(done); });
}

auto SignalWatch::watch(const std::stop_token& done) -> void {
    constexpr timespec look_every{.tv_sec = 0, .tv_nsec = 50'000'000};
    while (!done.stop_requested()) {
        if (sigtimedwait(&signals_, nullptr, &look_every) < 0) continue;
        if (stop_.stop_requested()) std::_Exit(exit_failed);
        log(LogLevel::info, "finishing {}; once more to end at once", finishing_);
        stop_.request_stop();
    }
}

}  // namespace leat::cli
