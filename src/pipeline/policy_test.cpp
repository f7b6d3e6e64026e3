// What the engine does about each fault, and how it waits.
#include "pipeline/policy.hpp"

#include <gtest/gtest.h>

#include "pipeline/backoff.hpp"

namespace leat {

namespace {

TEST(Policy, OneAnswerPerFault) {
    EXPECT_EQ(answer_to(Fault::retry), Action::back_off);
    EXPECT_EQ(answer_to(Fault::uncertain), Action::reopen);
    EXPECT_EQ(answer_to(Fault::poison), Action::stop);
    EXPECT_EQ(answer_to(Fault::config), Action::stop);
    EXPECT_EQ(answer_to(Fault::fatal), Action::stop);
}

TEST(Policy, DescribesTheNextStep) {
    EXPECT_EQ(describe({Fault::fatal, "slot is gone", "Run `leat drop`.", "source"}),
              "source: slot is gone\n  next step: Run `leat drop`.");
    EXPECT_EQ(describe({Fault::fatal, "slot is gone", "", ""}), "slot is gone");
    EXPECT_EQ(describe({Fault::fatal, "slot is gone", "", "source", Code::pg_slot_lost}),
              "source: slot is gone [PG-SLOT-LOST]");
}

TEST(Backoff, GrowsWithJitterAndStaysBounded) {
    BackoffLimits limits;
    limits.first = std::chrono::milliseconds(100);
    limits.longest = std::chrono::seconds(3);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Backoff backoff(limits, seed);
        auto step = limits.first;
        for (int i = 0; i < 20; ++i) {
            const auto wait = backoff.after_failure();
            const auto whole = backoff.circuit_open() ? limits.longest : std::min(step, limits.longest);
            EXPECT_GE(wait, whole / 2);
            EXPECT_LE(wait, whole);
            step *= 2;
        }
    }
}

TEST(Backoff, CircuitOpensAndClosesWithProgress) {
    BackoffLimits limits;
    limits.failures_until_open = 3;
    Backoff backoff(limits, 1);
    backoff.after_failure();
    backoff.after_failure();
    EXPECT_FALSE(backoff.circuit_open());
    const auto wait = backoff.after_failure();
    EXPECT_TRUE(backoff.circuit_open());
    EXPECT_GE(wait, limits.longest / 2);
    backoff.after_success();
    EXPECT_FALSE(backoff.circuit_open());
    EXPECT_LE(backoff.after_failure(), limits.first);
}

}  // namespace

}  // namespace leat
