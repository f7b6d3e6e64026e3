// HTTP/1.1 for other processes: over a Unix socket the door into a running pipeline, over TCP what
// monitoring reads. One server with any number of listeners. Boost.Beast stays behind this header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace leat::wire {

struct HttpRequest {
    std::string method;
    std::string target;
    std::string body;
};

struct HttpReply {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
};

using HttpHandler = std::function<HttpReply(const HttpRequest&)>;

// An IP address of this machine with a port.
struct TcpAddress {
    std::string host;
    std::uint16_t port = 0;
};

// "127.0.0.1:9187", "[::1]:9187"; nothing for anything else, names and port 0 included.
auto parse_tcp_address(std::string_view text) -> std::optional<TcpAddress>;
auto to_string(const TcpAddress& address) -> std::string;

// Where to listen and what to answer there. `threads`: handlers that run at once; a client that
// only waits or stalls takes none of them, so that one listener's work never delays another's.
struct HttpListener {
    std::variant<std::filesystem::path, TcpAddress> where;
    HttpHandler handler;
    std::size_t threads = 1;
};

// Serves until destroyed, each listener with threads of its own; a handler is called from any of
// them. HEAD is answered as GET without the body. One request per connection. Bodies over 1 MiB,
// and clients that stall for 10 s, are cut off. Only the user who started the process may connect
// to a Unix socket (mode 0600).
class HttpServer {
public:
    // A socket file that nobody listens on any more is replaced; a port that is taken is refused
    // (config). All listeners or none.
    static auto start(std::vector<HttpListener> listeners) -> Result<std::unique_ptr<HttpServer>>;
    ~HttpServer();

private:
    class Listening;
    template <class Protocol>
    class ListeningOn;
    HttpServer();

    std::vector<std::unique_ptr<Listening>> listening_;
};

// One request to a Unix socket, one answer. Fault::config when nobody listens there.
auto unix_http_call(const std::filesystem::path& socket, const HttpRequest& request)
    -> Result<HttpReply>;

}  // namespace leat::wire
