// What a source says of the place that keeps its changes for us: a replication slot, an oplog. Its
// own interface, because it is asked beside capture and also while capture cannot reach the source.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "change/position.hpp"

namespace leat {

// A gauge of a source's own kind, exported as leat_<name>. `label`: empty, or a label whose values
// are a fixed few.
struct VitalInfo {
    std::string_view name;
    std::string_view help;
    std::string_view label{};
};

struct Vital {
    const VitalInfo* info = nullptr;  // static
    double value = 0;
    std::string label_value;
};

// `none_yet`: nothing keeps our changes because capture has not begun to want them.
enum class Keeping { none_yet, kept, at_risk, lost };

struct SourceVitals {
    Keeping keeping = Keeping::none_yet;
    std::string reason;     // one CamelCase word of a fixed few: SlotReserved, SlotLost
    std::string message;    // what was found; empty when all is well
    std::string next_step;  // with a message
    // Of the source's log between the durable position that was asked about and the source's
    // newest.
    std::optional<std::int64_t> behind_bytes;
    std::vector<Vital> vitals;
    Code code = Code::none;  // with a message
};

// Optional for a Source (found by dynamic_cast). Called every few seconds from a thread of its own,
// on an instance made for it that is never opened, over its own connection.
class Watchable {
public:
    virtual ~Watchable() = default;

    // `durable`: the newest position in the queue; empty while there is none. An Error: the source
    // could not be asked. `stop` ends a wait.
    virtual auto watch(const std::optional<Position>& durable, const std::stop_token& stop)
        -> Result<SourceVitals> = 0;
};

}  // namespace leat
