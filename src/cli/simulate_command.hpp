// `leat simulate URI`: sample data and live changes in a database, for trying out and for tests.
#pragma once

#include <optional>
#include <string>

#include "simulate/simulation.hpp"

namespace leat::cli {

struct SimulateArguments {
    simulate::Options options;
    std::string data = "shop";
    std::string mix = "steady";
    std::optional<std::string> duration;
    bool json = false;
};

auto simulate_command(SimulateArguments arguments) -> int;

}  // namespace leat::cli
