// SIGINT and SIGTERM become a stop request; a second one ends the process at once. Made before any
// other thread, so that all of them leave the signals to this one.
#pragma once

#include <csignal>
#include <stop_token>
#include <string>
#include <thread>

namespace leat::cli {

class SignalWatch {
public:
    // `finishing`: what is still done after the first signal, for the log.
    explicit SignalWatch(std::string finishing);
    [[nodiscard]] auto token() const -> std::stop_token { return stop_.get_token(); }

private:
    auto watch(const std::stop_token& done) -> void;

    const std::string finishing_;
    sigset_t signals_{};
    std::stop_source stop_;
    std::jthread thread_;
};

}  // namespace leat::cli
