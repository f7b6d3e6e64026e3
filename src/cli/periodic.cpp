// The thread behind periodic.hpp.
#include "cli/periodic.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <utility>

namespace leat::cli {

namespace {

constexpr Duration terminal_every = std::chrono::milliseconds(250);
constexpr Duration plain_every = std::chrono::seconds(10);

// One that can go back and draw again.
auto is_terminal() -> bool {
    const char* const kind = std::getenv("TERM");
    return ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

Periodic::Periodic(Show show, const Clock& clock)
    : show_(std::move(show)),
      clock_(clock),
      thread_([this](const std::stop_token& stop) { repeat(stop); }) {}

auto Periodic::repeat(const std::stop_token& stop) -> void {
    const bool terminal = is_terminal();
    auto shown = clock_.steady();
    std::mutex mutex;
    std::condition_variable_any wake;
    bool last = false;
    while (!last) {
        {
            std::unique_lock lock(mutex);
            wake.wait_for(lock, stop, terminal ? terminal_every : plain_every,
                          [] { return false; });
        }
        last = stop.stop_requested();
        const auto now = clock_.steady();
        show_(terminal, std::chrono::duration<double>(now - shown).count());
        shown = now;
    }
}

}  // namespace leat::cli
