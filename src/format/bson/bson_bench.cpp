// An order of 457 bytes (a document and an array of three within it): reading every value and
// writing it as JSON, beside libbson doing the same.
#include <benchmark/benchmark.h>
#include <bson/bson.h>

#include <cstdlib>
#include <string>

#include "format/bson/bson.hpp"
#include "format/bson/json.hpp"

namespace leat::bson {
namespace {

auto order() -> std::string {
    constexpr auto json = R"({
        "_id": {"$oid": "65f1c0ffee5eed0123456789"},
        "order_no": {"$numberLong": "1000004711"},
        "status": "shipped",
        "placed": {"$date": "2026-03-14T15:09:26.535Z"},
        "total": {"$numberDecimal": "249.97"},
        "discount": 12.5,
        "paid": true,
        "note": null,
        "customer": {"id": 48213, "name": "Ada Lovelace", "email": "ada@example.org"},
        "items": [
            {"sku": "KB-0042-DE", "amount": 1, "price": 129.99, "tax": 0.19},
            {"sku": "MS-0007-XL", "amount": 2, "price": 39.99, "tax": 0.19},
            {"sku": "CB-1200-BK", "amount": 4, "price": 9.995, "tax": 0.07}],
        "tags": ["gift", "express"]})";
    bson_t* document = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json), -1, nullptr);
    if (document == nullptr) std::abort();
    std::string bytes(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    bson_destroy(document);
    return bytes;
}

auto report(benchmark::State& state, std::size_t bytes) -> void {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
    state.counters["document_bytes"] = static_cast<double>(bytes);
}

// What a decoder would take of each value, added up.
auto read_all(std::string_view document) -> std::uint64_t {
    Reader reader(document);
    Element element;
    std::uint64_t sum = 0;
    while (reader.next(element)) {
        sum += element.name.size();
        switch (element.type) {
            case Type::document:
            case Type::array: sum += read_all(as_document(element)); break;
            case Type::string: sum += as_text(element).size(); break;
            case Type::int32: sum += static_cast<std::uint64_t>(as_int32(element)); break;
            case Type::int64:
            case Type::date: sum += static_cast<std::uint64_t>(as_int64(element)); break;
            case Type::float64: sum += static_cast<std::uint64_t>(as_float64(element)); break;
            case Type::boolean: sum += as_boolean(element) ? 1 : 0; break;
            default: sum += element.value.size(); break;
        }
    }
    if (!reader.ok()) std::abort();
    return sum;
}

auto read_all(bson_iter_t& iter) -> std::uint64_t {
    std::uint64_t sum = 0;
    while (bson_iter_next(&iter)) {
        sum += bson_iter_key_len(&iter);
        switch (bson_iter_type(&iter)) {
            case BSON_TYPE_DOCUMENT:
            case BSON_TYPE_ARRAY: {
                bson_iter_t child;
                if (bson_iter_recurse(&iter, &child)) sum += read_all(child);
                break;
            }
            case BSON_TYPE_UTF8: {
                std::uint32_t size = 0;
                benchmark::DoNotOptimize(bson_iter_utf8(&iter, &size));
                sum += size;
                break;
            }
            case BSON_TYPE_INT32: sum += static_cast<std::uint64_t>(bson_iter_int32(&iter)); break;
            case BSON_TYPE_INT64: sum += static_cast<std::uint64_t>(bson_iter_int64(&iter)); break;
            case BSON_TYPE_DATE_TIME:
                sum += static_cast<std::uint64_t>(bson_iter_date_time(&iter));
                break;
            case BSON_TYPE_DOUBLE:
                sum += static_cast<std::uint64_t>(bson_iter_double(&iter));
                break;
            case BSON_TYPE_BOOL: sum += bson_iter_bool(&iter) ? 1 : 0; break;
            default: benchmark::DoNotOptimize(bson_iter_value(&iter)); break;
        }
    }
    return sum;
}

auto scan(benchmark::State& state) -> void {
    const auto document = order();
    for (auto _ : state) benchmark::DoNotOptimize(read_all(document));
    report(state, document.size());
}
BENCHMARK(scan);

auto scan_libbson(benchmark::State& state) -> void {
    const auto document = order();
    for (auto _ : state) {
        bson_t borrowed;
        bson_iter_t iter;
        if (!bson_init_static(&borrowed, reinterpret_cast<const std::uint8_t*>(document.data()),
                              document.size()) ||
            !bson_iter_init(&iter, &borrowed))
            std::abort();
        benchmark::DoNotOptimize(read_all(iter));
    }
    report(state, document.size());
}
BENCHMARK(scan_libbson);

auto json(benchmark::State& state) -> void {
    const auto document = order();
    std::string out;
    for (auto _ : state) {
        out.clear();
        if (append_json_document(out, document) != Json::whole) std::abort();
        benchmark::DoNotOptimize(out.data());
    }
    report(state, document.size());
    state.counters["json_bytes"] = static_cast<double>(out.size());
}
BENCHMARK(json);

auto json_libbson(benchmark::State& state) -> void {
    const auto document = order();
    for (auto _ : state) {
        bson_t borrowed;
        if (!bson_init_static(&borrowed, reinterpret_cast<const std::uint8_t*>(document.data()),
                              document.size()))
            std::abort();
        char* text = bson_as_relaxed_extended_json(&borrowed, nullptr);
        if (text == nullptr) std::abort();
        bson_free(text);
    }
    report(state, document.size());
}
BENCHMARK(json_libbson);

// A string value alone: ASCII, and German and Greek with letters beyond it.
auto quoted(benchmark::State& state, std::string_view text) -> void {
    std::string out;
    for (auto _ : state) {
        out.clear();
        if (append_quoted(out, text) != Json::whole) std::abort();
        benchmark::DoNotOptimize(out.data());
    }
    report(state, text.size());
}
BENCHMARK_CAPTURE(quoted, ascii, "The quick brown fox jumps over the lazy dog, twice a day.");
BENCHMARK_CAPTURE(quoted, german, "Zwölf große Boxkämpfer jagen Viktor quer über den Sylter Deich");
BENCHMARK_CAPTURE(quoted, greek, "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία");

}  // namespace
}  // namespace leat::bson

BENCHMARK_MAIN();
