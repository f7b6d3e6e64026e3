// Which keys of one table exist, so that changes meet rows: eight bytes a row. Keys are numbers
// that are given out in order and never again.
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/random.hpp"

namespace leat::simulate {

class Keys {
public:
    Keys() = default;
    explicit Keys(std::vector<std::int64_t> live) : live_(std::move(live)) {
        for (const auto key : live_) next_ = std::max(next_, key + 1);
    }

    [[nodiscard]] auto count() const -> std::int64_t {
        return static_cast<std::int64_t>(live_.size());
    }
    // A key that exists from now on.
    auto add() -> std::int64_t {
        live_.push_back(next_);
        return next_++;
    }
    // An index of a live key for the calls below; count() > 0.
    auto draw(Random& random, bool skewed) const -> std::size_t {
        return static_cast<std::size_t>(skewed ? random.skewed_below(count())
                                               : random.below(count()));
    }
    [[nodiscard]] auto at(std::size_t index) const -> std::int64_t { return live_[index]; }
    auto remove(std::size_t index) -> std::int64_t {
        const auto key = live_[index];
        live_[index] = live_.back();
        live_.pop_back();
        return key;
    }
    // The row at `index` goes on under the key that is returned.
    auto move(std::size_t index) -> std::int64_t {
        live_[index] = next_;
        return next_++;
    }

private:
    std::vector<std::int64_t> live_;
    std::int64_t next_ = 1;
};

}  // namespace leat::simulate
