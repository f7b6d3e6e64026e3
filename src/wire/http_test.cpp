// The server: round trips on both kinds of listener, refusals, clients that stall.
#include "wire/http.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

namespace leat::wire {

namespace {

class Http : public ::testing::Test {
protected:
    Http() { std::filesystem::create_directories(directory_); }
    ~Http() override { std::filesystem::remove_all(directory_); }

    auto serve(HttpHandler handler) const -> Result<std::unique_ptr<HttpServer>> {
        return HttpServer::start({{socket_, std::move(handler)}});
    }

    const std::filesystem::path directory_ =
        std::filesystem::temp_directory_path() / ("leat_http_" + std::to_string(::getpid()));
    const std::filesystem::path socket_ = directory_ / "leat.sock";
};

auto say(const std::string& text) -> HttpHandler {
    return [text](const HttpRequest&) { return HttpReply{200, text, "text/plain"}; };
}

// A port of its own range, so that the kernel gives it to nobody else at random.
auto start_on_free_port(const HttpHandler& handler, TcpAddress& address)
    -> Result<std::unique_ptr<HttpServer>> {
    address = {"127.0.0.1", static_cast<std::uint16_t>(20000 + ::getpid() % 12000)};
    while (true) {
        auto server = HttpServer::start({{address, handler}});
        if (server || address.port > 32000) return server;
        ++address.port;
    }
}

class Client {
public:
    explicit Client(const TcpAddress& address) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in there{};
        there.sin_family = AF_INET;
        there.sin_port = htons(address.port);
        ::inet_pton(AF_INET, address.host.c_str(), &there.sin_addr);
        connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&there), sizeof there) == 0;
    }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    auto operator=(const Client&) -> Client& = delete;

    auto ask(const std::string& request) const -> std::string {
        EXPECT_TRUE(connected_);
        EXPECT_EQ(::send(socket_, request.data(), request.size(), 0),
                  static_cast<ssize_t>(request.size()));
        std::string answer;
        std::array<char, 1024> piece{};
        for (ssize_t size = 0; (size = ::recv(socket_, piece.data(), piece.size(), 0)) > 0;)
            answer.append(piece.data(), static_cast<std::size_t>(size));
        return answer;
    }

private:
    int socket_;
    bool connected_ = false;
};

TEST_F(Http, AnswersWhatTheHandlerSays) {
    const auto server = serve([](const HttpRequest& request) {
        return HttpReply{201, request.method + request.target + request.body, "text/x-test"};
    });
    ASSERT_TRUE(server) << server.error().what;
    for (int i = 0; i < 20; ++i) {
        const auto reply =
            unix_http_call(socket_, {"POST", "/query", "select " + std::to_string(i)});
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_EQ(reply->status, 201);
        EXPECT_EQ(reply->body, "POST/queryselect " + std::to_string(i));
        EXPECT_EQ(reply->content_type, "text/x-test");
    }
}

TEST_F(Http, NobodyListening) {
    const auto reply = unix_http_call(socket_, {"GET", "/", ""});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().fault, Fault::config);
}

TEST_F(Http, ReplacesASocketFileLeftBehindAndRemovesItsOwn) {
    std::ofstream(socket_) << "left behind";
    {
        const auto server = serve(say("{}"));
        ASSERT_TRUE(server) << server.error().what;
        EXPECT_TRUE(unix_http_call(socket_, {"GET", "/", ""}));
    }
    EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(Http, TooLongAPathIsSaid) {
    const auto path = directory_ / std::string(120, 'x');
    const auto server = HttpServer::start({{path, say("")}});
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().fault, Fault::config);
    EXPECT_FALSE(unix_http_call(path, {"GET", "/", ""}));
}

TEST_F(Http, EachListenerHasItsOwnAnswers) {
    TcpAddress address;
    const auto outside = start_on_free_port(say("outside"), address);
    ASSERT_TRUE(outside) << outside.error().what;
    const auto inside = serve(say("inside"));
    ASSERT_TRUE(inside) << inside.error().what;
    const auto answer = Client(address).ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\noutside")) << answer;
    EXPECT_EQ(unix_http_call(socket_, {"GET", "/", ""})->body, "inside");
}

TEST_F(Http, HeadIsGetWithoutTheBody) {
    TcpAddress address;
    const auto server = start_on_free_port(
        [](const HttpRequest& request) { return HttpReply{200, request.method, "text/plain"}; },
        address);
    ASSERT_TRUE(server) << server.error().what;
    const auto answer = Client(address).ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(answer.find("Content-Length: 3\r\n"), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(Http, ATakenPortIsSaid) {
    TcpAddress address;
    const auto first = start_on_free_port(say(""), address);
    ASSERT_TRUE(first) << first.error().what;
    const auto second = HttpServer::start({{socket_, say("")}, {address, say("")}});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::config);
    EXPECT_EQ(second.error().what, "port is taken: " + to_string(address));
    EXPECT_FALSE(second.error().hint.empty());
    EXPECT_FALSE(std::filesystem::exists(socket_)) << "all listeners or none";
}

// A listener with one thread, and clients that say nothing or half a request.
TEST_F(Http, ClientsThatStallDelayNobody) {
    TcpAddress address;
    const auto server = start_on_free_port(say("here"), address);
    ASSERT_TRUE(server) << server.error().what;
    const Client silent(address);
    const Client slow(address);
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(Client(address).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("here"));
}

TEST_F(Http, WhatIsNoRequestGetsNoAnswer) {
    TcpAddress address;
    const auto server = start_on_free_port(say("here"), address);
    ASSERT_TRUE(server) << server.error().what;
    EXPECT_EQ(Client(address).ask("\x16\x03\x01 not http\r\n\r\n"), "");
    EXPECT_TRUE(Client(address).ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").ends_with("here"));
}

TEST(TcpAddresses, OnlyAddressAndPort) {
    EXPECT_EQ(to_string(*parse_tcp_address("127.0.0.1:9187")), "127.0.0.1:9187");
    EXPECT_EQ(to_string(*parse_tcp_address("[::1]:1")), "[::1]:1");
    for (const auto* wrong : {"", ":", "9187", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "::1:80",
                              "127.0.0.1:65536", "127.0.0.1:80x", "127.0.0.1:-1", "localhost:80",
                              "[127.0.0.1]:80", "[]:80", "http://127.0.0.1:80", "127.0.0.1:+80"})
        EXPECT_FALSE(parse_tcp_address(wrong)) << wrong;
}

}  // namespace

}  // namespace leat::wire
