// HTTP over a Unix socket with Boost.Beast: accepting is asynchronous so that it can be ended,
// each request is then read, handled and answered in the thread that accepted it.
#include "wire/unix_http.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <thread>
#include <utility>
#include <vector>

namespace leat::wire {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t threads = 4;
constexpr std::size_t body_bytes_max = 1 << 20;
constexpr std::size_t reply_bytes_max = 1ULL << 30;

auto socket_error(const std::filesystem::path& socket, const boost::system::error_code& error)
    -> Error {
    return Error{Fault::config, "socket failed: " + error.message(), "", socket.string()};
}

auto limit_waiting(Protocol::socket& socket) -> void {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

auto serve_one(Protocol::socket& socket, const HttpHandler& handler) -> void {
    limit_waiting(socket);
    boost::beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(body_bytes_max);
    boost::system::error_code error;
    http::read(socket, buffer, parser, error);
    if (error) return;  // the client left or sent no request: there is nobody to tell
    const auto& request = parser.get();
    const auto reply =
        handler({std::string(request.method_string()), std::string(request.target()), request.body()});
    http::response<http::string_body> response;
    response.result(static_cast<unsigned>(reply.status));
    response.set(http::field::content_type, "application/json");
    response.keep_alive(false);
    response.body() = reply.body;
    response.prepare_payload();
    http::write(socket, response, error);
}

}  // namespace

class UnixHttpServer::State {
public:
    State(std::filesystem::path path, HttpHandler handler)
        : path_(std::move(path)), handler_(std::move(handler)), acceptor_(context_) {}
    ~State() {
        context_.stop();
        threads_.clear();
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    auto start() -> Result<void> {
        boost::system::error_code error;
        const auto endpoint = Protocol::endpoint(path_.string());
        acceptor_.open(endpoint.protocol(), error);
        if (error) return socket_error(path_, error);
        ::unlink(path_.c_str());
        const auto old_mask = ::umask(0177);
        acceptor_.bind(endpoint, error);
        ::umask(old_mask);
        if (error) return socket_error(path_, error);
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return socket_error(path_, error);
        for (std::size_t i = 0; i < threads; ++i) {
            accept();
            threads_.emplace_back([this] { context_.run(); });
        }
        return {};
    }

private:
    auto accept() -> void {
        acceptor_.async_accept([this](boost::system::error_code error, Protocol::socket socket) {
            if (!error) serve_one(socket, handler_);
            if (acceptor_.is_open()) accept();
        });
    }

    const std::filesystem::path path_;
    const HttpHandler handler_;
    asio::io_context context_;
    Protocol::acceptor acceptor_;
    std::vector<std::jthread> threads_;
};

UnixHttpServer::UnixHttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
UnixHttpServer::~UnixHttpServer() = default;

auto UnixHttpServer::start(const std::filesystem::path& socket, HttpHandler handler)
    -> Result<std::unique_ptr<UnixHttpServer>> {
    if (socket.string().size() > 100)
        return Error{Fault::config, "path too long for a socket", "Choose a shorter queue path.",
                     socket.string()};
    auto state = std::make_unique<State>(socket, std::move(handler));
    TRY(state->start());
    return std::unique_ptr<UnixHttpServer>(new UnixHttpServer(std::move(state)));
}

auto unix_http_call(const std::filesystem::path& socket, const HttpRequest& request)
    -> Result<HttpReply> {
    asio::io_context context;
    Protocol::socket connection(context);
    boost::system::error_code error;
    connection.connect(Protocol::endpoint(socket.string()), error);
    if (error) return socket_error(socket, error);
    http::request<http::string_body> message(http::string_to_verb(request.method), request.target, 11);
    message.set(http::field::host, "localhost");
    message.body() = request.body;
    message.prepare_payload();
    http::write(connection, message, error);
    if (error) return socket_error(socket, error);
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(reply_bytes_max);
    http::read(connection, buffer, parser, error);
    if (error) return socket_error(socket, error);
    return HttpReply{static_cast<int>(parser.get().result_int()), parser.get().body()};
}

}  // namespace leat::wire
