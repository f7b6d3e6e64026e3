// HTTP with Boost.Beast. Accepting, reading and writing are asynchronous, so that an end can be put
// to them and slow clients hold no thread; only the handler itself occupies one.
#include "wire/http.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <thread>
#include <utility>

namespace leat::wire {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds stall_max(10);
constexpr std::size_t body_bytes_max = 1 << 20;
constexpr std::size_t reply_bytes_max = 1ULL << 30;
constexpr std::size_t socket_path_bytes_max = 100;

auto socket_error(const std::filesystem::path& socket, const error_code& error) -> Error {
    return Error{Fault::config, "socket failed: " + error.message(), "", socket.string(),
                 Code::http_socket};
}

// One connection: a request, its answer, the end. Moves itself from one callback to the next.
template <class Protocol>
class Session {
public:
    using Socket = typename Protocol::socket;
    using Stream = beast::basic_stream<Protocol, typename Socket::executor_type>;

    static auto begin(Socket socket, const HttpHandler& handler) -> void {
        auto session = std::unique_ptr<Session>(new Session(std::move(socket), handler));
        auto& here = *session;
        here.stream_.expires_after(stall_max);
        here.parser_.body_limit(body_bytes_max);
        http::async_read(here.stream_, here.buffer_, here.parser_,
                         [session = std::move(session)](error_code error, std::size_t) mutable {
                             // The client left or sent no request: there is nobody to tell.
                             if (!error) answer(std::move(session));
                         });
    }

private:
    Session(Socket socket, const HttpHandler& handler)
        : stream_(std::move(socket)), handler_(handler) {}

    static auto answer(std::unique_ptr<Session> session) -> void {
        auto& here = *session;
        const auto& request = here.parser_.get();
        const bool head = request.method() == http::verb::head;
        auto reply = here.handler_({head ? "GET" : std::string(request.method_string()),
                                    std::string(request.target()), request.body()});
        auto& response = here.response_;
        response.result(static_cast<unsigned>(reply.status));
        response.set(http::field::content_type, reply.content_type);
        response.keep_alive(false);
        response.content_length(reply.body.size());
        if (!head) response.body() = std::move(reply.body);
        here.stream_.expires_after(stall_max);
        // Sent or not, the connection ends with the session.
        http::async_write(here.stream_, response,
                          [session = std::move(session)](error_code, std::size_t) {});
    }

    Stream stream_;
    const HttpHandler& handler_;
    beast::flat_buffer buffer_;
    http::request_parser<http::string_body> parser_;
    http::response<http::string_body> response_;
};

auto open_acceptor(Unix::acceptor& acceptor, const std::filesystem::path& path) -> Result<void> {
    if (path.string().size() > socket_path_bytes_max)
        return Error{Fault::config, "path too long for a socket", "Choose a shorter queue path.",
                     path.string(), Code::http_socket};
    error_code error;
    const auto endpoint = Unix::endpoint(path.string());
    acceptor.open(endpoint.protocol(), error);
    if (error) return socket_error(path, error);
    ::unlink(path.c_str());
    const auto old_mask = ::umask(0177);
    acceptor.bind(endpoint, error);
    ::umask(old_mask);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return socket_error(path, error);
    return {};
}

auto open_acceptor(Tcp::acceptor& acceptor, const TcpAddress& address) -> Result<void> {
    error_code error;
    const auto endpoint = Tcp::endpoint(asio::ip::make_address(address.host, error), address.port);
    if (!error) acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error == asio::error::address_in_use)
        return Error{Fault::config, "port is taken: " + to_string(address),
                     "Choose another port in http.listen, or stop the process that listens there.",
                     "http", Code::http_port};
    if (error)
        return Error{Fault::config,
                     "cannot listen on " + to_string(address) + ": " + error.message(),
                     "Give http.listen an address of this machine and a port that this user may use.",
                     "http", Code::http_port};
    return {};
}

auto forget(const std::filesystem::path& path) -> void {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
}
auto forget(const TcpAddress& /*address*/) -> void {}

}  // namespace

auto parse_tcp_address(std::string_view text) -> std::optional<TcpAddress> {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    error_code error;
    const auto address = asio::ip::make_address(std::string(host), error);
    if (error || address.is_v6() != bracketed) return std::nullopt;
    TcpAddress parsed{std::string(host), 0};
    const auto digits = text.substr(colon + 1);
    const auto* end = digits.data() + digits.size();
    const auto [at, failed] = std::from_chars(digits.data(), end, parsed.port);
    if (failed != std::errc() || at != end || parsed.port == 0) return std::nullopt;
    return parsed;
}

auto to_string(const TcpAddress& address) -> std::string {
    const bool v6 = address.host.find(':') != std::string::npos;
    return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

class HttpServer::Listening {
public:
    virtual ~Listening() = default;
};

template <class Protocol>
class HttpServer::ListeningOn final : public Listening {
public:
    explicit ListeningOn(HttpHandler handler) : handler_(std::move(handler)), acceptor_(context_) {}
    ~ListeningOn() override {
        context_.stop();
        threads_.clear();
        if (forget_) forget_();
    }

    template <class Where>
    auto start(const Where& where, std::size_t threads) -> Result<void> {
        TRY(open_acceptor(acceptor_, where));
        forget_ = [where] { forget(where); };
        accept();
        for (std::size_t i = 0; i < threads; ++i)
            threads_.emplace_back([this] { context_.run(); });
        return {};
    }

private:
    auto accept() -> void {
        acceptor_.async_accept([this](error_code error, typename Protocol::socket socket) {
            if (!error) Session<Protocol>::begin(std::move(socket), handler_);
            if (acceptor_.is_open()) accept();
        });
    }

    const HttpHandler handler_;
    asio::io_context context_;
    typename Protocol::acceptor acceptor_;
    std::function<void()> forget_;
    std::vector<std::jthread> threads_;
};

HttpServer::HttpServer() = default;
HttpServer::~HttpServer() = default;

auto HttpServer::start(std::vector<HttpListener> listeners)
    -> Result<std::unique_ptr<HttpServer>> {
    std::unique_ptr<HttpServer> server(new HttpServer());
    for (auto& listener : listeners) {
        if (const auto* path = std::get_if<std::filesystem::path>(&listener.where)) {
            auto listening = std::make_unique<ListeningOn<Unix>>(std::move(listener.handler));
            TRY(listening->start(*path, listener.threads));
            server->listening_.push_back(std::move(listening));
        } else {
            auto listening = std::make_unique<ListeningOn<Tcp>>(std::move(listener.handler));
            TRY(listening->start(std::get<TcpAddress>(listener.where), listener.threads));
            server->listening_.push_back(std::move(listening));
        }
    }
    return server;
}

auto unix_http_call(const std::filesystem::path& socket, const HttpRequest& request)
    -> Result<HttpReply> {
    asio::io_context context;
    Unix::socket connection(context);
    error_code error;
    // A longer path is not one that a server could have made.
    if (socket.string().size() > socket_path_bytes_max)
        return socket_error(socket, asio::error::name_too_long);
    connection.connect(Unix::endpoint(socket.string()), error);
    if (error) return socket_error(socket, error);
    http::request<http::string_body> message(http::string_to_verb(request.method), request.target,
                                             11);
    message.set(http::field::host, "localhost");
    message.body() = request.body;
    message.prepare_payload();
    http::write(connection, message, error);
    if (error) return socket_error(socket, error);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(reply_bytes_max);
    http::read(connection, buffer, parser, error);
    if (error) return socket_error(socket, error);
    return HttpReply{static_cast<int>(parser.get().result_int()), parser.get().body(),
                     std::string(parser.get()[http::field::content_type])};
}

}  // namespace leat::wire
