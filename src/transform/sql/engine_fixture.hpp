// One engine for all tests of a program.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "transform/sql/engine.hpp"

namespace leat::fixture {

// DuckDB has storage of its own in every thread, so it must be closed before the main thread's is
// gone: statics are too late.
class OpenEngine : public ::testing::Environment {
public:
    auto SetUp() -> void override {
        auto made = sql::Engine::make();
        ASSERT_TRUE(made) << made.error().what;
        engine = *std::move(made);
    }
    auto TearDown() -> void override { engine.reset(); }

    std::shared_ptr<sql::Engine> engine;
};

inline auto engine() -> const std::shared_ptr<sql::Engine>& {
    static auto* const open = new OpenEngine();  // gtest owns it
    [[maybe_unused]] static auto* const added = ::testing::AddGlobalTestEnvironment(open);
    return open->engine;
}
inline const bool opens_engine = (engine(), true);  // before the tests run

}  // namespace leat::fixture
