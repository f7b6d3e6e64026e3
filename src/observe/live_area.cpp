// Drawing with the three control sequences that every terminal has.
#include "observe/live_area.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace leat {

namespace {

struct Area {
    std::mutex mutex;
    std::size_t drawn = 0;  // lines
};

auto area() -> Area& {
    static Area instance;
    return instance;
}

auto wipe(Area& here) -> void {
    // Back to the first line drawn, clear to the end of the screen.
    if (here.drawn > 0) std::fprintf(stderr, "\033[%zuA\033[J", here.drawn);
    here.drawn = 0;
}

// The first `columns` characters, counted as code points.
auto cut(const std::string& line, std::size_t columns) -> std::string {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool begins = (static_cast<unsigned char>(line[i]) & 0xc0U) != 0x80U;
        if (begins && seen++ == columns) return line.substr(0, i);
    }
    return line;
}

}  // namespace

auto draw_live_area(const std::vector<std::string>& lines) -> void {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
                       size.ws_row > 1;
    const std::size_t columns = known ? size.ws_col - 1U : 79;
    const std::size_t rows = known ? size.ws_row - 1U : 23;
    auto& here = area();
    const std::lock_guard lock(here.mutex);
    wipe(here);
    for (const auto& line : lines) {
        if (here.drawn == rows) break;
        std::fprintf(stderr, "%s\n", cut(line, columns).c_str());
        ++here.drawn;
    }
    std::fflush(stderr);
}

auto write_above_live_area() -> std::unique_lock<std::mutex> {
    auto& here = area();
    std::unique_lock lock(here.mutex);
    wipe(here);
    return lock;
}

}  // namespace leat
