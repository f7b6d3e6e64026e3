// What a running pipeline answers to other processes.
//
// On its socket, for the user who started it:
//   POST /query[?sink=NAME]  body: one read-only SQL statement → {columns, types, rows, truncated};
//                            with &format=arrow: an Arrow IPC stream
//   GET  /status             → the status object
//   POST /pause[?sink=NAME], /resume[?sink=NAME]   all sinks without a name → {}
// and there as well as on the port of `http: {listen: …}`, for monitoring, what holds no rows:
//   GET  /metrics  /livez  /readyz  /health  /health/COMPONENT
//
// livez: 200 while the pipeline's own loop goes round. readyz: 200 once source and sinks are open
// and none has given up. health: 503 if anything is unhealthy, else 200; the word is in the body.
// Errors: {"error": what, "hint": next step} with status 400 (ours to mend) or 503 (not now).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/pipeline.hpp"
#include "wire/http.hpp"

namespace leat {

// The socket's name inside the queue's folder.
inline constexpr const char* socket_name = "leat.sock";

struct DoorOptions {
    std::filesystem::path socket;
    std::optional<wire::TcpAddress> listen;  // none: no port is opened
    std::string version;                     // of the program, for the metrics
};

// Serves until the server is destroyed; the pipeline must outlive it.
auto open_door(Pipeline& pipeline, const DoorOptions& options)
    -> Result<std::unique_ptr<wire::HttpServer>>;

}  // namespace leat
