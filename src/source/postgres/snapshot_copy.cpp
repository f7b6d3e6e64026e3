// Reading one range of a table with COPY in binary form.
#include <cstdint>
#include <string>

#include "source/postgres/snapshot.hpp"

namespace leat::postgres {

namespace {

constexpr std::int64_t batch_rows_max = 65'536;
constexpr std::size_t batch_bytes_max = 4U << 20U;

auto copy_statement(const TableLayout& layout, const Chunk& chunk, const TableName& place)
    -> std::string {
    std::string columns;
    for (std::size_t i = 0; i < layout.mappings.size(); ++i) {
        const auto name = quote_name(layout.schema->columns[i].name);
        // As the type prints itself, like the stream: a cast to text differs for some (inet). The
        // plain IS NULL would take a composite value of NULLs for NULL.
        const auto as_text =
            "CASE WHEN " + name + " IS DISTINCT FROM NULL THEN format('%s', " + name + ") END";
        columns += (i == 0 ? "" : ", ") + (layout.mappings[i].binary_ok ? name : as_text);
    }
    auto where = " WHERE ctid >= '(" + std::to_string(chunk.begin) + ",0)'";
    if (chunk.end != 0) where += " AND ctid < '(" + std::to_string(chunk.end) + ",0)'";
    return "COPY (SELECT " + columns + " FROM ONLY " + quote_table(place) + where +
           ") TO STDOUT (FORMAT binary)";
}

}  // namespace

auto TableImages::copy(Connection& connection, const Chunk& chunk, std::uint64_t point,
                       const BatchReceiver& receive, const std::stop_token& stop) -> Result<void> {
    const TableLayout* layout = nullptr;
    for (const auto& one : layouts_)
        if (one.schema == chunk.schema) layout = &one;
    if (layout == nullptr) return Error{Fault::fatal, "chunk of another snapshot", "", ""};

    const auto builder = TRY(TableBuilder::make(*layout));
    pgcopy::Decoder decoder(static_cast<std::uint16_t>(layout->mappings.size()));
    constexpr unsigned chunk_shift = 32;
    auto ordinal = chunk.number << chunk_shift;
    std::size_t bytes = 0;
    bool first = true;
    const auto hand_over = [&]() -> Result<void> {
        builder->seal(point, time_us_);
        auto group = TRY(builder->finish(false));
        bytes = 0;
        first = false;
        return receive(TRY(group.to_batch()));
    };

    TRY(connection.start_copy(copy_statement(*layout, chunk, chunk_places_[chunk.number])));
    while (const auto piece = TRY(connection.copied())) {
        if (stop.stop_requested()) return Error{Fault::retry, "stopped", "", ""};
        decoder.feed(*piece);
        while (const auto row = TRY(decoder.next())) {
            if (const auto problem = builder->snapshot(*row, ordinal++))
                return value_error(*layout, *problem);
            bytes += row->byte_size();
            if (builder->rows() >= batch_rows_max || bytes >= batch_bytes_max) TRY(hand_over());
        }
    }
    if (!decoder.finished()) return Error{Fault::retry, "COPY was cut short", "", ""};
    // Also an empty table is handed over once, so that its schema is known downstream.
    if (builder->rows() > 0 || (first && chunk.begin == 0)) return hand_over();
    return {};
}

}  // namespace leat::postgres
