// Which keys of one table exist, so that changes meet rows: eight bytes a row. Keys are numbers
// that are given out in order and never again. Of several who change one table each has the keys
// of a share.
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/random.hpp"

namespace leat::simulate {

// The numbers that leave this remainder.
struct Share {
    std::int64_t remainder = 0;
    std::int64_t of = 1;
};

class Keys {
public:
    Keys() = default;
    explicit Keys(std::vector<std::int64_t> live) : live_(std::move(live)) {
        for (const auto key : live_) next_ = std::max(next_, key + 1);
    }

    // Only the keys of this share from now on, also of those that are given out.
    auto keep(Share share) -> void {
        std::erase_if(live_, [&](std::int64_t key) { return key % share.of != share.remainder; });
        while (next_ % share.of != share.remainder) ++next_;
        step_ = share.of;
    }

    [[nodiscard]] auto count() const -> std::int64_t {
        return static_cast<std::int64_t>(live_.size());
    }
    // A key that exists from now on.
    auto add() -> std::int64_t {
        live_.push_back(give_out());
        return live_.back();
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
    auto move(std::size_t index) -> std::int64_t { return live_[index] = give_out(); }

private:
    auto give_out() -> std::int64_t {
        const auto key = next_;
        next_ += step_;
        return key;
    }

    std::vector<std::int64_t> live_;
    std::int64_t next_ = 1;
    std::int64_t step_ = 1;
};

}  // namespace leat::simulate
