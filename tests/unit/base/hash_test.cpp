#include "base/hash.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace comqtt;

namespace {

uint64_t hash(const std::string& text, uint64_t seed = 1) { return hash_bytes(ByteView(text), seed); }

std::string letters(size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i * 7 % 26);
    return text;
}

}  // namespace

TEST_CASE("the same bytes have the same hash wherever they stand") {
    for (size_t size = 0; size <= 40; ++size) {
        const std::string text = letters(size);
        for (size_t offset = 0; offset < 9; ++offset) {
            const std::vector<uint8_t> raw = [&] {
                std::vector<uint8_t> bytes(offset, 0xFF);
                bytes.insert(bytes.end(), text.begin(), text.end());
                return bytes;
            }();
            REQUIRE(hash_bytes(ByteView(raw).from(offset), 1) == hash(text));
        }
    }
}

TEST_CASE("another seed gives another hash") {
    for (size_t size = 0; size <= 40; ++size) {
        std::set<uint64_t> hashes;
        for (uint64_t seed = 0; seed < 100; ++seed) hashes.insert(hash(letters(size), seed));
        CAPTURE(size);
        CHECK(hashes.size() == 100);
    }
}

TEST_CASE("every byte and the length count") {
    std::set<uint64_t> hashes;
    size_t texts = 0;
    for (size_t size = 0; size <= 40; ++size) {
        hashes.insert(hash(letters(size)));
        ++texts;
        for (size_t at = 0; at < size; ++at)
            for (int bit = 0; bit < 8; ++bit) {
                std::string changed = letters(size);
                changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
                hashes.insert(hash(changed));
                ++texts;
            }
    }
    CHECK(hashes.size() == texts);
    CHECK(hash(std::string("a")) != hash(std::string("a\0", 2)));
    CHECK(hash(std::string("abcdefgh")) != hash(std::string("abcdefgh\0", 9)));
}

TEST_CASE("topics that count up spread over the buckets of a table") {
    for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
        for (const std::string prefix : {"", "t/", "device/telemetry/temperature/"}) {
            constexpr size_t kBuckets = 4096;
            std::set<uint64_t> low, high;
            for (size_t i = 0; i < kBuckets; ++i) {
                const uint64_t value = hash(prefix + std::to_string(i), seed);
                low.insert(value % kBuckets);
                high.insert(value >> 52);
            }
            CAPTURE(prefix);
            // Thrown at random, 4096 balls leave 1507 of 4096 buckets empty.
            CHECK(low.size() > 2400);
            CHECK(high.size() > 2400);
        }
    }
}
