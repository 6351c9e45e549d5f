#include "broker/delivery_share.hpp"

#include <doctest/doctest.h>

using comqtt::broker::DeliveryShare;

TEST_CASE(
    "a share is used up by the message that takes the last of it, and is whole again when it is renewed") {
    DeliveryShare share(10);
    share.use(9);
    CHECK_FALSE(share.used_up());
    share.use(100'000);
    CHECK(share.used_up());
    share.renew();
    CHECK_FALSE(share.used_up());
    share.use(10);
    CHECK(share.used_up());
}

TEST_CASE("messages to a few receivers use nothing of a large share") {
    DeliveryShare share(8192);
    for (int i = 0; i < 10'000; ++i) share.use(16);
    CHECK(share.total() == 0);
    share.use(17);
    CHECK(share.total() == 17);
}

TEST_CASE("what was ever used grows with receivers only, not with messages that have none") {
    DeliveryShare share(10);
    share.use(3);
    const uint64_t before = share.total();
    share.use(0);
    share.renew();
    CHECK(share.total() == before);
    share.use(1);
    CHECK(share.total() == before + 1);
}
