// Durable: the proof that everything up to a position survives a crash. Only a Queue can make one,
// so confirming upstream too early does not compile (invariant 1).
#pragma once

#include <utility>

#include "change/position.hpp"

namespace leat {

class Durable {
public:
    // The last *complete* transaction that is durable.
    [[nodiscard]] auto position() const -> const Position& { return position_; }

private:
    friend class Queue;
    explicit Durable(Position position) : position_(std::move(position)) {}

    Position position_;
};

}  // namespace leat
