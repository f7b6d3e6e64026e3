// The reference for capture: a libpq client that receives a replication stream or a COPY and does
// nothing with it but count. Prints {"messages": n, "bytes": n, "cpu_seconds": x, "seconds": x}.
//
//     postgres_counting_client stream CONNINFO SLOT PUBLICATION END_LSN(number)
//     postgres_counting_client copy CONNINFO "COPY (...) TO STDOUT (FORMAT binary)"
#include <libpq-fe.h>
#include <poll.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Counts {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
};

[[noreturn]] auto fail(PGconn* connection) -> void {
    std::fprintf(stderr, "postgres_counting_client: %s\n", PQerrorMessage(connection));
    std::exit(1);
}

auto big64(const char* bytes) -> std::uint64_t {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return __builtin_bswap64(value);
}

// Until a keepalive or a message stands at or behind `end` (XLogData and keepalive both carry the
// server's position at byte 1 or 9; protocol: Streaming Replication).
auto count_stream(PGconn* connection, std::uint64_t end) -> Counts {
    Counts counts;
    char* buffer = nullptr;
    while (true) {
        const int length = PQgetCopyData(connection, &buffer, 1);
        if (length == 0) {
            pollfd waiting{.fd = PQsocket(connection), .events = POLLIN, .revents = 0};
            ::poll(&waiting, 1, 1000);
            if (PQconsumeInput(connection) == 0) fail(connection);
            continue;
        }
        if (length < 0) fail(connection);
        counts.messages += buffer[0] == 'w' ? 1U : 0U;
        counts.bytes += static_cast<std::uint64_t>(length);
        const bool keepalive_at_end = buffer[0] == 'k' && big64(buffer + 1) >= end;
        // Commit: XLogData header of 25 bytes, 'C', flags, commit LSN, end LSN.
        const bool commit_at_end = buffer[0] == 'w' && length > 42 && buffer[25] == 'C' &&
                                   big64(buffer + 35) >= end;
        PQfreemem(buffer);
        if (keepalive_at_end || commit_at_end) return counts;
    }
}

auto count_copy(PGconn* connection) -> Counts {
    Counts counts;
    char* buffer = nullptr;
    int length = 0;
    while ((length = PQgetCopyData(connection, &buffer, 0)) > 0) {
        counts.messages += 1;
        counts.bytes += static_cast<std::uint64_t>(length);
        PQfreemem(buffer);
    }
    if (length < -1) fail(connection);
    return counts;
}

auto cpu_seconds() -> double {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

}  // namespace

auto main(int argc, char** argv) -> int {
    const bool stream = argc == 6 && std::strcmp(argv[1], "stream") == 0;
    const bool copy = argc == 4 && std::strcmp(argv[1], "copy") == 0;
    if (!stream && !copy) {
        std::fprintf(stderr, "usage: see the head of postgres_counting_client.cpp\n");
        return 2;
    }
    PGconn* connection = PQconnectdb(argv[2]);
    if (PQstatus(connection) != CONNECTION_OK) fail(connection);
    const auto query = stream ? std::string("START_REPLICATION SLOT \"") + argv[3] +
                                    "\" LOGICAL 0/0 (proto_version '1', publication_names '" +
                                    argv[4] + "')"
                              : std::string(argv[3]);
    PGresult* result = PQexec(connection, query.c_str());
    const auto expected = stream ? PGRES_COPY_BOTH : PGRES_COPY_OUT;
    if (PQresultStatus(result) != expected) fail(connection);
    PQclear(result);

    const auto started = std::chrono::steady_clock::now();
    const auto cpu_before = cpu_seconds();
    const auto counts = stream ? count_stream(connection, std::strtoull(argv[5], nullptr, 10))
                               : count_copy(connection);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
    std::printf("{\"messages\": %llu, \"bytes\": %llu, \"cpu_seconds\": %.3f, \"seconds\": %.3f}\n",
                static_cast<unsigned long long>(counts.messages),
                static_cast<unsigned long long>(counts.bytes), cpu_seconds() - cpu_before,
                elapsed.count());
    PQfinish(connection);
    return 0;
}
