// The reference for the MongoDB source: a client that receives a change stream, or the documents of
// a collection, by the same raw commands and does nothing with them but count. Prints
// {"documents": n, "bytes": n, "cpu_seconds": x, "seconds": x, "latencies_us": [p50, p99]}.
//
//     mongodb_counting_client stream URI DATABASE COLLECTION SECONDS INCREMENT EVENTS
//     mongodb_counting_client find URI DATABASE COLLECTION CURSORS
//
// stream: from that cluster time on, until EVENTS events have come. Latency is from an event's
// field `fullDocument.at` (a date) to its arrival, where there is one. find: CURSORS ranges of a
// numeric
// `_id` that runs from 0, each by a connection and a thread of its own.
#include <mongoc/mongoc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Counts {
    std::int64_t documents = 0;
    std::int64_t bytes = 0;
    std::vector<std::int64_t> latencies_us{};
};

[[noreturn]] auto fail(const char* what) -> void {
    std::fprintf(stderr, "mongodb_counting_client: %s\n", what);
    std::exit(1);
}

auto now_us() -> std::int64_t {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

auto run(mongoc_client_t* client, const char* database, const bson_t* command, bson_t* reply)
    -> void {
    bson_error_t error;
    if (!mongoc_client_command_simple(client, database, command, nullptr, reply, &error))
        fail(error.message);
}

auto note_latency(const std::uint8_t* data, std::uint32_t length, Counts& counts) -> void {
    bson_t event;
    bson_iter_t at;
    bson_iter_t field;
    constexpr std::int64_t us_per_ms = 1000;
    if (bson_init_static(&event, data, length) && bson_iter_init(&at, &event) &&
        bson_iter_find_descendant(&at, "fullDocument.at", &field) &&
        BSON_ITER_HOLDS_DATE_TIME(&field))
        counts.latencies_us.push_back(now_us() - bson_iter_date_time(&field) * us_per_ms);
}

// The reply's batch; yields the cursor.
auto count_batch(const bson_t* reply, const char* batch_name, bool latencies, Counts& counts)
    -> std::int64_t {
    bson_iter_t at;
    bson_iter_t cursor;
    std::int64_t id = 0;
    if (!bson_iter_init_find(&at, reply, "cursor") || !bson_iter_recurse(&at, &cursor))
        fail("no cursor");
    while (bson_iter_next(&cursor)) {
        if (std::string_view(bson_iter_key(&cursor)) == "id") id = bson_iter_as_int64(&cursor);
        if (std::string_view(bson_iter_key(&cursor)) != batch_name) continue;
        bson_iter_t item;
        if (!bson_iter_recurse(&cursor, &item)) fail("no batch");
        while (bson_iter_next(&item)) {
            std::uint32_t length = 0;
            const std::uint8_t* data = nullptr;
            bson_iter_document(&item, &length, &data);
            counts.documents += 1;
            counts.bytes += length;
            if (latencies) note_latency(data, length, counts);
        }
    }
    return id;
}

struct Stream {
    const char* uri;
    const char* database;
    const char* collection;
    std::uint32_t seconds;
    std::uint32_t increment;
    std::int64_t events;
};

auto count_stream(const Stream& stream) -> Counts {
    mongoc_client_t* const client = mongoc_client_new(stream.uri);
    bson_t* const open =
        BCON_NEW("aggregate", BCON_INT32(1), "pipeline", "[", "{", "$changeStream", "{",
                 "fullDocument", BCON_UTF8("whenAvailable"), "startAtOperationTime",
                 BCON_TIMESTAMP(stream.seconds, stream.increment), "}", "}", "{", "$match", "{",
                 "ns.db", BCON_UTF8(stream.database), "ns.coll", BCON_UTF8(stream.collection), "}",
                 "}", "{", "$changeStreamSplitLargeEvent", "{", "}", "}", "]", "cursor", "{", "}",
                 "readConcern", "{", "level", BCON_UTF8("majority"), "}");
    Counts counts;
    bson_t reply;
    run(client, stream.database, open, &reply);
    const auto id = count_batch(&reply, "firstBatch", true, counts);
    bson_destroy(&reply);
    bson_destroy(open);
    bson_t* const more = BCON_NEW("getMore", BCON_INT64(id), "collection",
                                  BCON_UTF8("$cmd.aggregate"), "maxTimeMS", BCON_INT64(400));
    while (counts.documents < stream.events) {
        run(client, stream.database, more, &reply);
        count_batch(&reply, "nextBatch", true, counts);
        bson_destroy(&reply);
    }
    bson_destroy(more);
    mongoc_client_destroy(client);
    return counts;
}

// [from, to) of a numeric `_id`.
auto count_range(const Stream& where, std::int64_t from, std::int64_t to) -> Counts {
    mongoc_client_t* const client = mongoc_client_new(where.uri);
    bson_t* const find =
        BCON_NEW("find", BCON_UTF8(where.collection), "hint", "{", "_id", BCON_INT32(1), "}", "min",
                 "{", "_id", BCON_INT64(from), "}", "max", "{", "_id", BCON_INT64(to), "}");
    Counts counts;
    bson_t reply;
    run(client, where.database, find, &reply);
    auto id = count_batch(&reply, "firstBatch", false, counts);
    bson_destroy(&reply);
    bson_destroy(find);
    while (id != 0) {
        bson_t* const more =
            BCON_NEW("getMore", BCON_INT64(id), "collection", BCON_UTF8(where.collection));
        run(client, where.database, more, &reply);
        id = count_batch(&reply, "nextBatch", false, counts);
        bson_destroy(&reply);
        bson_destroy(more);
    }
    mongoc_client_destroy(client);
    return counts;
}

auto documents_in(const Stream& where) -> std::int64_t {
    mongoc_client_t* const client = mongoc_client_new(where.uri);
    bson_t* const count = BCON_NEW("count", BCON_UTF8(where.collection));
    bson_t reply;
    bson_iter_t at;
    run(client, where.database, count, &reply);
    const auto documents =
        bson_iter_init_find(&at, &reply, "n") ? bson_iter_as_int64(&at) : std::int64_t{0};
    bson_destroy(&reply);
    bson_destroy(count);
    mongoc_client_destroy(client);
    return documents;
}

auto count_documents(const Stream& where, std::int64_t cursors) -> Counts {
    const auto documents = documents_in(where);
    std::vector<Counts> parts(static_cast<std::size_t>(cursors));
    std::vector<std::jthread> threads;
    for (std::int64_t i = 0; i < cursors; ++i)
        threads.emplace_back([&, i] {
            parts[static_cast<std::size_t>(i)] =
                count_range(where, documents * i / cursors, documents * (i + 1) / cursors);
        });
    threads.clear();
    Counts all;
    for (const auto& part : parts) {
        all.documents += part.documents;
        all.bytes += part.bytes;
    }
    return all;
}

auto cpu_seconds() -> double {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

auto percentile(std::vector<std::int64_t>& values, double part) -> long long {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

}  // namespace

auto main(int argc, char** argv) -> int {
    const std::string mode = argc > 1 ? argv[1] : "";
    const bool is_stream = mode == "stream" && argc == 8;
    if (!is_stream && !(mode == "find" && argc == 6)) {
        std::fprintf(stderr, "usage: see the head of mongodb_counting_client.cpp\n");
        return 2;
    }
    mongoc_log_set_handler([](mongoc_log_level_t, const char*, const char*, void*) {}, nullptr);
    mongoc_init();
    Stream where{argv[2], argv[3], argv[4], 0, 0, 0};
    constexpr int base = 10;
    if (is_stream) {
        where.seconds = static_cast<std::uint32_t>(std::strtoul(argv[5], nullptr, base));
        where.increment = static_cast<std::uint32_t>(std::strtoul(argv[6], nullptr, base));
        where.events = std::strtoll(argv[7], nullptr, base);
    }
    const auto started = Clock::now();
    const auto cpu_before = cpu_seconds();
    auto counts = is_stream ? count_stream(where)
                            : count_documents(where, std::strtoll(argv[5], nullptr, base));
    const std::chrono::duration<double> elapsed = Clock::now() - started;
    std::printf(
        "{\"documents\": %lld, \"bytes\": %lld, \"cpu_seconds\": %.3f, \"seconds\": %.3f, "
        "\"latencies_us\": [%lld, %lld]}\n",
        static_cast<long long>(counts.documents), static_cast<long long>(counts.bytes),
        cpu_seconds() - cpu_before, elapsed.count(), percentile(counts.latencies_us, 0.5),
        percentile(counts.latencies_us, 0.99));
    return 0;
}
