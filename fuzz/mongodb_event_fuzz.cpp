// Change events and documents of a MongoDB server: any bytes are an error or rows, never a crash,
// and what becomes rows is a valid Arrow batch.
#include <arrow/record_batch.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "source/mongodb/event.hpp"
#include "source/mongodb/row_builder.hpp"

namespace {

using namespace leat;
using namespace leat::mongodb;

auto rows_of(std::string_view bytes, const ShapeRules& shapes, const RowRules& rules) -> void {
    // Never saved, so there is no file.
    const auto book = ShapeBook::open({}, shapes);
    CHECK(book.has_value());
    RowBuilder rows({"", "orders"}, **book, rules);
    for (const auto op : {Op::insert, Op::remove, Op::update})
        if (const auto added = rows.add({op, 1, 0, 0}, bytes); !added)
            CHECK(!added.error().what.empty());
    if (const auto delta = read_delta(bytes))
        if (const auto added = rows.add_delta({}, bytes, *delta); !added)
            CHECK(!added.error().what.empty());
    const auto batches = rows.finish();
    CHECK(batches.has_value());
    for (const auto& batch : *batches) CHECK(batch.rows->ValidateFull().ok());
}

}  // namespace

extern "C" auto LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) -> int {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    token_time(bytes);
    std::string_view document = bytes;
    if (const auto event = parse_event(bytes); event && !event->document.empty())
        document = event->document;
    rows_of(document, {}, {});
    rows_of(document, {.columns_max = 4, .always_extra = true},
            {.on_conflict = OnConflict::variant, .tells_nulls = true});
    rows_of(document, {.mode = Mode::document}, {});
    return 0;
}
