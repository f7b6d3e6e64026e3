// The list of data sets, and the plainest of them; see data_set.hpp.
#include "simulate/data_set.hpp"

#include <fmt/core.h>

namespace leat::simulate {

namespace {

auto event_row(std::int64_t id, Draw& draw) -> Document {
    return {{"kind", value(static_cast<std::int32_t>(id % 17))},
            {"name", text(fmt::format("customer-{}", id % 50'000))},
            {"note", text(fmt::format("order number {} of the benchmark", id))},
            {"amount", money(id % 1'000'000)},
            {"at", value(Time{draw.now_us})},
            {"good", value(id % 3 == 0)}};
}

auto event_change(Draw& draw) -> Document {
    return {{"kind", value(static_cast<std::int32_t>(draw.random.below(1'000)))},
            {"amount", money(draw.random.below(1'000'000))},
            {"at", value(Time{draw.now_us})}};
}

}  // namespace

auto events() -> DataSet {
    using enum ColumnType;
    return {"events",
            "one plain table of seven columns, about 100 bytes a row",
            {{"events",
              {{"id", bigint},
               {"kind", integer},
               {"name", text},
               {"note", text},
               {"amount", numeric},
               {"at", timestamp},
               {"good", boolean}},
              {},
              1,
              event_row,
              event_change}}};
}

auto data_sets() -> std::vector<DataSet> {
    return {shop(), video(), events()};
}

auto find_data_set(std::string_view name) -> std::optional<DataSet> {
    for (auto& data : data_sets())
        if (data.name == name) return data;
    return std::nullopt;
}

}  // namespace leat::simulate
