// Documents and change events into columns, without a server: what one CPU does of the way from the
// socket to the log.
#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>
#include <bson/bson.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "source/mongodb/event.hpp"
#include "source/mongodb/row_builder.hpp"

namespace leat::mongodb {
namespace {

auto parse(const std::string& json) -> std::string {
    bson_t* document = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json.data()),
                                          static_cast<ssize_t>(json.size()), nullptr);
    if (document == nullptr) std::abort();
    std::string bytes(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    bson_destroy(document);
    return bytes;
}

auto order(std::size_t note_bytes) -> std::string {
    return R"({"_id": {"$oid": "65f1c0ffee5eed0123456789"}, "order_no": {"$numberLong": "1000004711"},
        "status": "shipped", "placed": {"$date": "2026-03-14T15:09:26.535Z"}, "total": 249.97,
        "discount": 12.5, "paid": true, "customer": {"id": 48213, "name": "Ada Lovelace"},
        "items": [{"sku": "KB-0042-DE", "amount": 1, "price": 129.99},
                  {"sku": "MS-0007-XL", "amount": 2, "price": 39.99}],
        "note": ")" +
           std::string(note_bytes, 'n') + R"("})";
}

auto event(const std::string& document) -> std::string {
    return R"({"_id": {"_data": "826B08E05F000000132B022C0100296E5A1004)" + std::string(90, 'A') +
           R"("}, "operationType": "insert", "clusterTime": {"$timestamp": {"t": 1, "i": 2}},
        "wallTime": {"$date": "2026-03-14T15:09:26.535Z"}, "fullDocument": )" +
           document +
           R"(, "ns": {"db": "shop", "coll": "orders"},
        "documentKey": {"_id": {"$oid": "65f1c0ffee5eed0123456789"}}})";
}

auto events_to_batches(benchmark::State& state) -> void {
    const auto bytes = parse(event(order(static_cast<std::size_t>(state.range(0)))));
    const auto file = std::filesystem::temp_directory_path() / "leat-row-builder-bench";
    std::filesystem::remove(file);
    const auto opened = ShapeBook::open(file, {});
    if (!opened) std::abort();
    const auto& book = *opened;
    RowBuilder rows({"", "orders"}, *book, {});
    constexpr int batch_rows = 1000;
    std::uint64_t ordinal = 0;
    for (auto _ : state) {
        for (int i = 0; i < batch_rows; ++i) {
            const auto parsed = parse_event(bytes);
            if (!rows.add({Op::insert, 1, ordinal++, 0}, parsed->document)) std::abort();
        }
        benchmark::DoNotOptimize(rows.finish());
    }
    state.SetItemsProcessed(state.iterations() * batch_rows);
    state.SetBytesProcessed(state.iterations() * batch_rows *
                            static_cast<std::int64_t>(bytes.size()));
    state.counters["event_bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(events_to_batches)->Arg(100)->Arg(3200)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace leat::mongodb

BENCHMARK_MAIN();
