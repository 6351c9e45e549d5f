#include "base/process.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

TEST_CASE("resident memory is at least what was just written to") {
    constexpr size_t kSize = 32u << 20;
    const std::vector<char> block(kSize, 'x');
    const int64_t resident = comqtt::resident_bytes();
    CHECK(resident >= static_cast<int64_t>(kSize));
    CHECK(resident < int64_t{1} << 40);
    CHECK(block.back() == 'x');
}
