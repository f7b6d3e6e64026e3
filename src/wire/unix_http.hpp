// HTTP/1.1 over a Unix socket: the door by which other processes of this machine reach a running
// pipeline. Boost.Beast stays behind this header.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace leat::wire {

struct HttpRequest {
    std::string method;
    std::string target;
    std::string body;
};

struct HttpReply {
    int status = 200;
    std::string body;  // application/json
};

using HttpHandler = std::function<HttpReply(const HttpRequest&)>;

// Serves until destroyed, with a few threads of its own; the handler is called from any of them.
// Bodies over 1 MiB, and clients that stall for 10 s, are cut off. Only the user who started the
// process may connect (socket mode 0600).
class UnixHttpServer {
public:
    // A socket file that nobody listens on any more is replaced.
    static auto start(const std::filesystem::path& socket, HttpHandler handler)
        -> Result<std::unique_ptr<UnixHttpServer>>;
    ~UnixHttpServer();

private:
    class State;
    explicit UnixHttpServer(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

// One request, one answer. Fault::config when nobody listens there.
auto unix_http_call(const std::filesystem::path& socket, const HttpRequest& request)
    -> Result<HttpReply>;

}  // namespace leat::wire
