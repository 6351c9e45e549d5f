#include "net/read_share.hpp"

#include <doctest/doctest.h>

using comqtt::net::ReadShare;
using std::chrono::milliseconds;

TEST_CASE("a connection whose bytes cost much is read in smaller shares, down to a bound") {
    ReadShare share;
    const size_t most = share.limit();
    CHECK(most == 262'144);
    share.note(most, milliseconds(8));
    CHECK(share.limit() == most / 4);
    share.note(share.limit(), milliseconds(8));
    CHECK(share.limit() == 16'384);
    share.note(share.limit(), milliseconds(500));
    CHECK(share.limit() == 16'384);
}

TEST_CASE("when they cost less again the share grows, up to a bound") {
    ReadShare share;
    share.note(262'144, milliseconds(100));
    CHECK(share.limit() == 16'384);
    share.note(16'384, milliseconds(1));
    CHECK(share.limit() == 32'768);
    share.note(32'768, milliseconds(0));
    CHECK(share.limit() == 262'144);
}

TEST_CASE("small reads are handled and tell nothing") {
    ReadShare share;
    int handled = 0;
    share.spend(100, [&] { ++handled; });
    share.spend(100'000, [&] { ++handled; });
    CHECK(handled == 2);
    CHECK(share.limit() <= 262'144);
}
