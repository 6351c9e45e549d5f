#include "hooks/handle.hpp"

#include <doctest/doctest.h>

#include <new>

#include "stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using namespace comqtt::hooks::test;

namespace {

struct CountedHost final : Host {
    int count = 0;
    void retain_host() override { ++count; }
    void release_host() override { --count; }
};

}  // namespace

TEST_CASE("a tag is good while its object lives and tells its kind") {
    using Tag = HandleTag<0x12345678>;
    alignas(Tag) unsigned char memory[sizeof(Tag)];
    Tag* tag = new (memory) Tag;
    CHECK(tag->ok());
    CHECK_FALSE(reinterpret_cast<HandleTag<0x87654321>*>(memory)->ok());
    tag->~Tag();
    CHECK_FALSE(std::launder(reinterpret_cast<Tag*>(memory))->ok());
    CHECK(make_client()->tag.ok());
    CHECK(make_box()->tag.ok());
}

TEST_CASE("the host is counted once by each object that was shown, and let go of with it") {
    CountedHost host, other;
    {
        HostRef ref, second, unused;
        CHECK(ref.get() == nullptr);
        ref.set(host);
        CHECK(ref.get() == &host);
        CHECK(host.count == 1);
        ref.set(host);
        CHECK(host.count == 1);
        second.set(host);
        CHECK(host.count == 2);
        ref.set(other);
        CHECK(ref.get() == &host);
        CHECK(other.count == 0);
    }
    CHECK(host.count == 0);
    CHECK(other.count == 0);
}
