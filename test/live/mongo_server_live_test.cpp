// The fixture itself: what it starts is what was asked for, and survives what it does to it.
#include "mongo_server.hpp"

#include <gtest/gtest.h>

namespace leat::live {

namespace {

TEST(MongoServerTest, WhatWasConfirmedOutlivesACrash) {
    auto& server = MongoServer::shared();
    const auto database = server.make_database();
    server.run(database, R"({"insert": "orders", "documents": [{"_id": 7, "note": "kept"}],
                             "writeConcern": {"w": "majority"}})");
    server.kill();
    server.restart();
    EXPECT_NE(server.run(database, R"({"find": "orders"})").find("kept"), std::string::npos);
    EXPECT_NE(server.run(database, R"({"buildInfo": 1})").find("\"6.0."), std::string::npos);
}

TEST(MongoServerTest, RefusalsHaveTheirCode) {
    auto& server = MongoServer::shared();
    EXPECT_EQ(server.code_of("admin", R"({"noSuchCommand": 1})"), 59U);
    EXPECT_EQ(server.code_of("admin", R"({"ping": 1})"), 0U);
}

TEST(MongoServerTest, AnOlderOneBehindTlsAndAPassword) {
    MongoServer server({.version = "5", .tls = true, .auth = true});
    EXPECT_NE(server.run("admin", R"({"buildInfo": 1})").find("\"5.0."), std::string::npos);
    EXPECT_NE(server.uri("shop").find("/shop?"), std::string::npos);
}

}  // namespace

}  // namespace leat::live
