#include "base/result.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace comqtt;

TEST_CASE("a result holds a value or an error") {
    const Result<std::string> good = std::string("value");
    REQUIRE(good);
    CHECK(*good == "value");
    CHECK(good->size() == 5);
    const Result<std::string> bad = Error{Status::not_found, "no such thing", 0x87};
    REQUIRE_FALSE(bad);
    CHECK(bad.error().status == Status::not_found);
    CHECK(bad.error().message == "no such thing");
    CHECK(bad.error().reason == 0x87);
}

TEST_CASE("a value that cannot be copied is taken out") {
    Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
    const std::unique_ptr<int> value = result.take();
    REQUIRE(value);
    CHECK(*value == 7);
}

TEST_CASE("an error passes on from a result of one type to a result of another") {
    Result<int> inner = Error{Status::denied, "not you", 0x8A};
    const Result<std::string> outer = inner.take_error();
    REQUIRE_FALSE(outer);
    CHECK(outer.error().status == Status::denied);
    CHECK(outer.error().message == "not you");
    CHECK(outer.error().reason == 0x8A);
}

TEST_CASE("a result without a value is success unless there is an error") {
    CHECK(Result<void>{});
    Result<void> bad = Error{Status::io, "disk"};
    REQUIRE_FALSE(bad);
    CHECK(bad.error().status == Status::io);
    CHECK(bad.take_error().message == "disk");
    // An error without a failing status is an error nevertheless.
    CHECK_FALSE(Result<void>(Error{Status::ok, ""}));
}
