// What both writers say; see writer.hpp.
#include "simulate/writer.hpp"

namespace leat::simulate {

auto foreign_table(const std::string& name) -> Error {
    return {Fault::config, "a table of this name is not sample data: " + name,
            "Give a database of its own to the simulation.", "simulate", Code::simulate_tables};
}

}  // namespace leat::simulate
