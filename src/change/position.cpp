// Text form of positions and table names, for messages and inspection.
#include "change/position.hpp"

namespace leat {

auto to_string(const Position& position) -> std::string {
    return std::to_string(position.lineage) + "/" + std::to_string(position.commit) + "/" +
           std::to_string(position.ordinal);
}

}  // namespace leat
