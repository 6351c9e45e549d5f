#include "session/delivery.hpp"

#include <doctest/doctest.h>

using namespace comqtt;
using namespace comqtt::session;

TEST_CASE("identifiers come in any order and more than once, and a complete list has each once, ascending") {
    Ref<IdentifierList> list;
    CHECK(complete_identifiers(list) == 0);
    add_identifier(list, 0);
    CHECK_FALSE(list);
    for (const uint32_t identifier : {7, 7, 3, 9, 3, 268'435'455, 1, 9}) add_identifier(list, identifier);
    CHECK(complete_identifiers(list) == 5);
    CHECK(list->identifiers == std::vector<uint32_t>{1, 3, 7, 9, 268'435'455});
    add_identifier(list, 268'435'455);
    CHECK(complete_identifiers(list) == 5);
}

TEST_CASE("100,000 identifiers in descending order are as quickly there as in ascending order") {
    Ref<IdentifierList> list;
    for (uint32_t identifier = 100'000; identifier; --identifier) add_identifier(list, identifier);
    CHECK(complete_identifiers(list) == 100'000);
    CHECK(list->identifiers.front() == 1);
    CHECK(list->identifiers.back() == 100'000);
}
