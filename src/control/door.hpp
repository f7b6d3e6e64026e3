// The requests that a running pipeline answers on its socket:
//   POST /query[?sink=NAME]  body: one read-only SQL statement → {columns, types, rows, truncated}
//   GET  /status             → the status object
// Errors: {"error": what, "hint": next step} with status 400 (ours to mend) or 503 (not now).
#pragma once

#include <filesystem>
#include <memory>

#include "pipeline/pipeline.hpp"
#include "wire/unix_http.hpp"

namespace leat {

// The socket's name inside the queue's folder.
inline constexpr const char* socket_name = "leat.sock";

// Serves until the server is destroyed; the pipeline must outlive it.
auto open_door(Pipeline& pipeline, const std::filesystem::path& socket)
    -> Result<std::unique_ptr<wire::UnixHttpServer>>;

}  // namespace leat
