// The socket door: round trips, errors, a socket file left behind.
#include "wire/unix_http.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace leat::wire {

namespace {

class UnixHttp : public ::testing::Test {
protected:
    UnixHttp() { std::filesystem::create_directories(directory_); }
    ~UnixHttp() override { std::filesystem::remove_all(directory_); }

    const std::filesystem::path directory_ =
        std::filesystem::temp_directory_path() / ("leat_http_" + std::to_string(::getpid()));
    const std::filesystem::path socket_ = directory_ / "leat.sock";
};

TEST_F(UnixHttp, AnswersWhatTheHandlerSays) {
    const auto server = UnixHttpServer::start(socket_, [](const HttpRequest& request) {
        return HttpReply{201, request.method + request.target + request.body};
    });
    ASSERT_TRUE(server) << server.error().what;
    for (int i = 0; i < 20; ++i) {
        const auto reply = unix_http_call(socket_, {"POST", "/query", "select " + std::to_string(i)});
        ASSERT_TRUE(reply) << reply.error().what;
        EXPECT_EQ(reply->status, 201);
        EXPECT_EQ(reply->body, "POST/queryselect " + std::to_string(i));
    }
}

TEST_F(UnixHttp, NobodyListening) {
    const auto reply = unix_http_call(socket_, {"GET", "/", ""});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().fault, Fault::config);
}

TEST_F(UnixHttp, ReplacesASocketFileLeftBehindAndRemovesItsOwn) {
    std::ofstream(socket_) << "left behind";
    {
        const auto server =
            UnixHttpServer::start(socket_, [](const HttpRequest&) { return HttpReply{200, "{}"}; });
        ASSERT_TRUE(server) << server.error().what;
        EXPECT_TRUE(unix_http_call(socket_, {"GET", "/", ""}));
    }
    EXPECT_FALSE(std::filesystem::exists(socket_));
}

TEST_F(UnixHttp, TooLongAPathIsSaid) {
    const auto server = UnixHttpServer::start(directory_ / std::string(120, 'x'), {});
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().fault, Fault::config);
}

}  // namespace

}  // namespace leat::wire
