// CHECK(condition): for our own bugs, on in release too. Never on input: a decoder returns an Error.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                    \
    do {                                                                                    \
        if (!(condition)) [[unlikely]] {                                                    \
            std::fprintf(stderr, "leat: bug: %s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                   \
        }                                                                                   \
    } while (false)
