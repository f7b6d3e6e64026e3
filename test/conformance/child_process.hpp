// Runs a piece of a test in a child process that may be killed, and says how it ended.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/check.hpp"

namespace leat::conformance {

struct ChildEnd {
    int exit_code = -1;  // -1: killed
    int signal = 0;
    long peak_rss_kib = 0;
};

// `body` must not leave anything to destructors of the parent: the child ends without unwinding.
inline auto in_child(const std::function<void()>& body) -> ChildEnd {
    std::fflush(nullptr);
    const auto pid = ::fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        body();
        std::_Exit(0);
    }
    int status = 0;
    rusage usage{};
    CHECK(::wait4(pid, &status, 0, &usage) == pid);
    ChildEnd end;
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    end.peak_rss_kib = usage.ru_maxrss;
    return end;
}

}  // namespace leat::conformance
