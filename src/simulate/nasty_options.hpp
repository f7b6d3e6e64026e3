// What the nasty mixes of both databases are told.
#pragma once

#include <cstddef>
#include <cstdint>

namespace leat::simulate {

struct NastyOptions {
    std::size_t tables = 0;  // the data set's; those of the mix follow
    std::uint64_t seed = 1;
    std::int64_t writer = 0;  // which of several, for names that must not meet
};

}  // namespace leat::simulate
