// The main of every test program. A skipped test would pass for a green one, so a run in which
// something was skipped ends with the code that ctest shows as skipped.
#include <gtest/gtest.h>

auto main(int argc, char** argv) -> int {
    constexpr int skipped = 77;
    testing::InitGoogleTest(&argc, argv);
    int code = RUN_ALL_TESTS();
    if (code == 0 && testing::UnitTest::GetInstance()->skipped_test_count() > 0) {
        return skipped;
    }
    return code;
}
