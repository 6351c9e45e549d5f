#include "broker/output.hpp"

#include <doctest/doctest.h>

#include "fakes.hpp"
#include "support/random.hpp"

using namespace comqtt;
using namespace comqtt::broker;
using namespace comqtt::broker::test;

namespace {

constexpr uint32_t kChunk = 64;

/// An output that is emptied before its pool goes.
struct Stage {
    ChunkPool pool{kChunk};
    FakeLink link;
    Output out;
    ~Stage() { out.clear(pool); }

    void append(std::string_view text) { out.append(pool, ByteView(text)); }
    void extend(std::string_view text) {
        std::memcpy(out.extend(pool, text.size()), text.data(), text.size());
    }
    void share(std::string_view text) {
        const auto message = make_message(text);
        out.append_shared(message, Output::Part::payload);
    }
    size_t flush(size_t room = SIZE_MAX) {
        link.room = room;
        return out.flush(pool, link);
    }
};

std::string letters(support::Random& random, size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + random.below(26));
    return text;
}

}  // namespace

TEST_CASE("an output writes what was appended, in order, and is empty then") {
    Stage stage;
    CHECK(stage.out.empty());
    stage.append("one ");
    stage.extend("two ");
    stage.share("three ");
    stage.append(std::string(200, 'x'));
    CHECK(stage.out.bytes() == 214);
    CHECK(stage.flush() == 214);
    CHECK(stage.link.taken == "one two three " + std::string(200, 'x'));
    CHECK(stage.out.empty());
    CHECK(stage.flush() == 0);
    CHECK(stage.link.calls == 1);
}

TEST_CASE("a link that takes part of the bytes gets the rest later, and is asked no more than needed") {
    Stage stage;
    stage.append(std::string(100, 'a'));
    stage.share(std::string(100, 'b'));
    stage.append("c");
    CHECK(stage.flush(0) == 0);
    CHECK(stage.link.calls == 1);
    CHECK(stage.out.bytes() == 201);
    for (const size_t room : {63, 1, 1, 35, 50, 50}) CHECK(stage.flush(room) == room);
    CHECK(stage.out.bytes() == 1);
    CHECK(stage.link.calls == 7);
    stage.append("d");
    CHECK(stage.flush() == 2);
    CHECK(stage.link.taken == std::string(100, 'a') + std::string(100, 'b') + "cd");
}

TEST_CASE("appends of every kind and writes of any size keep the stream whole") {
    support::Random random(5);
    Stage stage;
    std::string expected;
    for (int round = 0; round < 3000; ++round) {
        const std::string text = letters(random, random.below(3) ? random.below(30) : random.below(200));
        expected += text;
        switch (random.below(3)) {
            case 0: stage.append(text); break;
            case 1: text.empty() ? stage.append(text) : stage.extend(text); break;
            default: stage.share(text);
        }
        if (random.chance(40)) stage.flush(random.below(150));
        if (random.chance(20)) stage.out.shrink(stage.pool);
        REQUIRE(stage.out.bytes() == expected.size() - stage.link.taken.size());
        REQUIRE(stage.out.empty() == (stage.out.bytes() == 0));
    }
    stage.flush();
    CHECK(stage.link.taken == expected);
}

TEST_CASE("more chunks than one write takes are written by several") {
    Stage stage;
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        const std::string text = std::to_string(i) + " ";
        stage.share(text);
        expected += text;
    }
    CHECK(stage.flush() == expected.size());
    CHECK(stage.link.taken == expected);
    CHECK(stage.link.calls > 1);
    CHECK(stage.out.empty());
}

TEST_CASE("a run that is longer than a chunk is in one piece nevertheless") {
    Stage stage;
    stage.append("head ");
    stage.extend(std::string(10 * kChunk, 'y'));
    stage.append(" tail");
    stage.flush();
    CHECK(stage.link.taken == "head " + std::string(10 * kChunk, 'y') + " tail");
}

TEST_CASE("a shared payload is written from the message itself, which lives until then") {
    Stage stage;
    auto message = make_message(std::string(500, 'p'));
    const void* payload = message->payload().data;
    stage.append("head");
    stage.out.append_shared(message, Output::Part::payload);
    message = {};
    stage.flush();
    CHECK(stage.link.last_part == payload);
    CHECK(stage.link.taken == "head" + std::string(500, 'p'));
}

TEST_CASE("what is appended behind a shared payload is not written into it") {
    Stage stage;
    const auto message = make_message("shared");
    stage.out.append_shared(message, Output::Part::payload);
    stage.append("x");
    stage.extend("y");
    CHECK(message->payload().text() == "shared");
    stage.flush();
    CHECK(stage.link.taken == "sharedxy");
}

TEST_CASE("a small backlog moves out of its chunk, which others may use, and goes on in order") {
    Stage stage;
    uint8_t* const chunk = stage.out.extend(stage.pool, 60);
    std::memset(chunk, 'z', 60);
    CHECK(stage.flush(50) == 50);
    stage.out.shrink(stage.pool);
    CHECK(stage.out.bytes() == 10);
    Output other;
    CHECK(other.extend(stage.pool, 1) == chunk);
    *chunk = 'o';
    stage.append("w");
    stage.flush();
    CHECK(stage.link.taken == std::string(60, 'z') + "w");
    other.clear(stage.pool);
}

TEST_CASE("a large backlog stays where it is") {
    Stage stage;
    uint8_t* const chunk = stage.out.extend(stage.pool, 60);
    std::memset(chunk, 'z', 60);
    stage.flush(20);
    stage.out.shrink(stage.pool);
    stage.flush();
    CHECK(stage.link.last_part == chunk + 20);
}

TEST_CASE("clearing forgets the bytes and gives the chunks back") {
    Stage stage;
    const uint8_t* const chunk = stage.out.extend(stage.pool, 10);
    stage.share("shared");
    stage.out.clear(stage.pool);
    CHECK(stage.out.empty());
    CHECK(stage.flush() == 0);
    CHECK(stage.out.extend(stage.pool, 10) == chunk);
}

TEST_CASE("a pool hands a chunk out again empty and keeps only those of its own size") {
    ChunkPool pool(kChunk);
    Chunk* usual = pool.get(10, 0);
    CHECK(usual->capacity == kChunk);
    usual->begin = 3;
    usual->end = 7;
    Chunk* large = pool.get(kChunk + 1, 0);
    CHECK(large->capacity > kChunk);
    pool.put(usual);
    pool.put(large);
    Chunk* again = pool.get(kChunk, 0);
    CHECK(again == usual);
    CHECK(again->begin == 0);
    CHECK(again->end == 0);
    CHECK(again->next == nullptr);
    pool.put(again);
}

TEST_CASE("a pool keeps a bounded number of chunks") {
    ChunkPool pool(kChunk);
    std::vector<Chunk*> chunks(5000);
    for (Chunk*& chunk : chunks) chunk = pool.get(1, 0);
    const Chunk* last = chunks.back();
    for (Chunk* chunk : chunks) pool.put(chunk);
    // The last one put back comes first, unless it was not kept.
    Chunk* next = pool.get(1, 0);
    CHECK(next != last);
    pool.put(next);
}

TEST_CASE("when very many outputs hold a little, each takes little memory") {
    constexpr uint32_t kSize = 65'536;
    ChunkPool pool(kSize);
    std::vector<Chunk*> lent;
    size_t memory = 0;
    for (int i = 0; i < 10'000; ++i) {
        lent.push_back(pool.get(100, 0));
        CHECK(lent.back()->capacity >= 100);
        memory += lent.back()->capacity;
    }
    CHECK(memory < 400 * size_t{kSize});
    for (Chunk* chunk : lent) pool.put(chunk);
    Chunk* one = pool.get(1, 0);
    CHECK_MESSAGE(one->capacity == kSize, "few have large ones again");
    pool.put(one);
}

TEST_CASE("an output that grows while very many hold something keeps its bytes in order, in few pieces") {
    constexpr uint32_t kSize = 4096;
    ChunkPool pool(kSize);
    std::vector<Chunk*> lent;
    for (int i = 0; i < 300; ++i) lent.push_back(pool.get(1, 0));
    Output out;
    FakeLink link;
    support::Random random(7);
    std::string all;
    for (int i = 0; i < 200; ++i) {
        const std::string text = letters(random, random.below(i % 10 ? 120 : 6000));
        all += text;
        if (i % 2) {
            out.append(pool, ByteView(text));
        } else {
            std::memcpy(out.extend(pool, text.size()), text.data(), text.size());
        }
    }
    CHECK(out.flush(pool, link) == all.size());
    CHECK(link.taken == all);
    CHECK(link.calls <= 1 + all.size() / kSize / 8);
    out.clear(pool);
    for (Chunk* chunk : lent) pool.put(chunk);
}
