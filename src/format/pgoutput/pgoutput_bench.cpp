// Cost of decoding one Insert of seven columns and of walking its tuple: what a row costs before
// its values are read (format/pgtype).
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "base/bytes.hpp"
#include "format/pgoutput/message.hpp"
#include "format/pgoutput/replication.hpp"

namespace leat::pgoutput {
namespace {

template <class T>
auto put(std::string& out, T value) -> void {
    value = ByteReader::from_big(value);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

auto insert_frame() -> std::string {
    std::string out = "w";
    for (int i = 0; i < 3; ++i) put(out, std::uint64_t{1});
    out += 'I';
    put(out, std::uint32_t{16384});
    out += 'N';
    put(out, std::uint16_t{7});
    for (const std::string value :
         {"10000977", "7919", "customer-000001@example-1.org", "9e3779b900000001", "31.01",
          "2026-03-02 14:25:36.000811+00", "t"}) {
        out += 't';
        put(out, static_cast<std::uint32_t>(value.size()));
        out += value;
    }
    return out;
}

auto decode_insert_of_seven(benchmark::State& state) -> void {
    const auto bytes = insert_frame();
    for (auto _ : state) {
        const auto frame = decode_frame(bytes);
        if (!frame) std::abort();
        const auto message = decode(std::get<XLogData>(*frame).payload, false);
        if (!message) std::abort();
        std::size_t total = 0;
        for (const auto& value : std::get<Insert>(*message).after) total += value.bytes.size();
        benchmark::DoNotOptimize(total);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode_insert_of_seven);

}  // namespace
}  // namespace leat::pgoutput

BENCHMARK_MAIN();
