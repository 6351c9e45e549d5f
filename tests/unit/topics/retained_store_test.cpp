#include "topics/retained_store.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "model.hpp"
#include "topics/filter.hpp"
#include "topics/topic_order.hpp"

using namespace comqtt;
using namespace comqtt::mqtt;
using namespace comqtt::topics;

namespace {

MessageRef make(std::string_view topic, std::string_view payload = "x", uint64_t clock = 0,
                uint32_t node = 0) {
    MessageFields fields;
    fields.topic_name = ByteView(topic);
    fields.payload = ByteView(payload);
    fields.retain = true;
    fields.origin.clock = clock;
    fields.origin.node = node;
    return Message::make(fields);
}

// The topics a whole scan gives, in pieces of the given size.
std::vector<std::string> scan_all(const RetainedStore& store, std::string_view filter, size_t limit = 1000,
                                  size_t work = 1000) {
    RetainedStore::Cursor cursor;
    std::vector<std::string> topics;
    for (int calls = 0; !cursor.done; ++calls) {
        REQUIRE(calls < 100000);
        std::vector<MessageRef> out;
        store.scan(filter, cursor, limit, work, out);
        REQUIRE(out.size() <= limit);
        for (auto& message : out) topics.emplace_back(message->topic_name().text());
    }
    return topics;
}

using Topics = std::vector<std::string>;

}  // namespace

TEST_SUITE("topics/retained") {
    TEST_CASE("a retained message replaces the one before it [MQTT-3.3.1-5]") {
        RetainedStore store;
        auto first = store.store(make("a", "1"));
        CHECK(first.change == RetainedStore::Change::stored);
        CHECK_FALSE(first.previous);
        auto second = store.store(make("a", "2"));
        REQUIRE(second.previous);
        CHECK(second.previous->payload().text() == "1");
        CHECK(store.find("a")->payload().text() == "2");
        CHECK(store.count() == 1);
        CHECK(store.bytes() == store.find("a")->footprint());
        CHECK_FALSE(store.find("b"));
    }

    TEST_CASE("an empty payload removes the retained message [MQTT-3.3.1-6]") {
        RetainedStore store;
        store.store(make("a"));
        auto outcome = store.store(make("a", ""));
        CHECK(outcome.change == RetainedStore::Change::removed);
        CHECK(outcome.previous);
        CHECK(store.count() == 0);
        CHECK(store.bytes() == 0);
    }

    TEST_CASE("an empty payload is not stored [MQTT-3.3.1-7]") {
        RetainedStore store;
        CHECK(store.store(make("a", "")).change == RetainedStore::Change::none);
        CHECK(store.count() == 0);
        CHECK(scan_all(store, "#").empty());
    }

    TEST_CASE("an older message does not replace a newer one, by clock and then by node") {
        RetainedStore store;
        store.store(make("a", "new", 10, 2));
        CHECK(store.store(make("a", "old", 9, 3)).change == RetainedStore::Change::none);
        CHECK(store.store(make("a", "old", 10, 1)).change == RetainedStore::Change::none);
        CHECK(store.store(make("a", "", 9)).change == RetainedStore::Change::none);
        CHECK(store.find("a")->payload().text() == "new");
        CHECK(store.store(make("a", "same", 10, 2)).change == RetainedStore::Change::stored);
        CHECK(store.store(make("a", "newer", 11, 0)).change == RetainedStore::Change::stored);
        CHECK(store.find("a")->payload().text() == "newer");
    }

    TEST_CASE("remove gives back what it removed") {
        RetainedStore store;
        store.store(make("a"));
        CHECK(store.remove("b").change == RetainedStore::Change::none);
        auto outcome = store.remove("a");
        CHECK(outcome.change == RetainedStore::Change::removed);
        CHECK(outcome.previous->topic_name().text() == "a");
        CHECK(store.remove("a").change == RetainedStore::Change::none);
    }

    TEST_CASE("topics are ordered as a depth-first walk visits them") {
        RetainedStore store;
        for (auto topic : {"b", "a/b", "a b", "a", "a!", "a/b/c", "/a", "a/", "a/c"})
            store.store(make(topic));
        CHECK(scan_all(store, "#") == Topics{"/a", "a", "a/", "a/b", "a/b/c", "a/c", "a b", "a!", "b"});
    }

    TEST_CASE("a retained message is found by every filter that matches it [MQTT-3.3.1-9]") {
        RetainedStore store;
        for (auto topic : {"a", "a/b", "a/b/c", "b", "/", "$SYS/x"}) store.store(make(topic));
        CHECK(scan_all(store, "a") == Topics{"a"});
        CHECK(scan_all(store, "a/#") == Topics{"a", "a/b", "a/b/c"});
        CHECK(scan_all(store, "+/#") == Topics{"/", "a", "a/b", "a/b/c", "b"});
        CHECK(scan_all(store, "+") == Topics{"a", "b"});
        CHECK(scan_all(store, "+/+") == Topics{"/", "a/b"});
        CHECK(scan_all(store, "a/+/c") == Topics{"a/b/c"});
        CHECK(scan_all(store, "nothing/#").empty());
    }

    TEST_CASE("a filter with a leading wildcard finds no retained $ topic [MQTT-4.7.2-1]") {
        RetainedStore store;
        for (auto topic : {"!", "#x", "$", "$SYS", "$SYS/a", "%", "a"}) store.store(make(topic));
        CHECK(scan_all(store, "#") == Topics{"!", "#x", "%", "a"});
        CHECK(scan_all(store, "+/#") == Topics{"!", "#x", "%", "a"});
        CHECK(scan_all(store, "$SYS/#") == Topics{"$SYS", "$SYS/a"});
    }

    TEST_CASE("a scan stops at its limit and at its work and goes on from there") {
        RetainedStore store;
        Topics all;
        for (int i = 1000; i < 4000; ++i) {
            all.push_back("t/" + std::to_string(i));
            store.store(make(all.back()));
        }
        CHECK(scan_all(store, "t/+", 7, 1000) == all);
        CHECK(scan_all(store, "t/+", 1000, 3) == all);
        CHECK(scan_all(store, "t/+", 1, 0) == all);

        RetainedStore::Cursor cursor;
        std::vector<MessageRef> out;
        store.scan("t/+", cursor, 3000, 5000, out);
        CHECK(out.size() == 3000);
        CHECK(cursor.done);
        store.scan("t/+", cursor, 3000, 5000, out);
        CHECK(out.size() == 3000);
    }

    TEST_CASE("a scan goes on correctly when the topic it reached has been removed") {
        RetainedStore store;
        for (int i = 100; i < 200; ++i) store.store(make("t/" + std::to_string(i)));
        RetainedStore::Cursor cursor;
        std::vector<MessageRef> out;
        store.scan("t/#", cursor, 10, 1000, out);
        store.remove("t/109");
        store.remove("t/110");
        store.store(make("t/1105"));
        store.scan("t/#", cursor, 2, 1000, out);
        REQUIRE(out.size() == 12);
        CHECK(out[10]->topic_name().text() == "t/1105");
        CHECK(out[11]->topic_name().text() == "t/111");
        store.clear();
        store.scan("t/#", cursor, 2, 1000, out);
        CHECK(cursor.done);
        CHECK(out.size() == 12);
    }

    TEST_CASE("a scan leaps over what cannot match") {
        RetainedStore store;
        for (int child = 0; child < 100; ++child)
            for (int leaf = 0; leaf < 100; ++leaf)
                store.store(make("a/" + std::to_string(child) + "/" + std::to_string(leaf)));
        RetainedStore::Cursor cursor;
        std::vector<MessageRef> out;
        store.scan("a/+/50", cursor, 1000, 400, out);
        CHECK(out.size() == 100);
        CHECK(cursor.done);
        cursor = {};
        out.clear();
        store.scan("+/+/none", cursor, 1000, 400, out);
        CHECK(out.empty());
        CHECK(cursor.done);
    }

    TEST_CASE("random stores and removals leave what the model holds, in order") {
        topics_test::Generator random(3);
        for (size_t names : {50, 6000}) {
            RetainedStore store;
            auto less = [](const std::string& a, const std::string& b) { return compare_topics(a, b) < 0; };
            std::map<std::string, std::string, decltype(less)> model(less);
            for (int i = 0; i < 60000; ++i) {
                // Growing, then shrinking.
                bool removing = random.chance(i < 30000 ? 5 : 1 + (i % 3 == 0));
                std::string topic = "p/" + std::to_string(random.below(names));
                if (random.chance(3)) topic += "/x";
                if (removing) {
                    bool removed = store.remove(topic).change == RetainedStore::Change::removed;
                    REQUIRE(removed == (model.erase(topic) == 1));
                } else {
                    std::string payload = std::to_string(i);
                    store.store(make(topic, payload));
                    model[topic] = payload;
                }
                REQUIRE(store.count() == model.size());
                auto found = store.find(topic);
                REQUIRE(bool(found) == (model.count(topic) == 1));
                if (i % 5000 == 4999) {
                    Topics expected;
                    size_t bytes = 0;
                    for (auto& [name, payload] : model) {
                        expected.push_back(name);
                        bytes += store.find(name)->footprint();
                        REQUIRE(store.find(name)->payload().text() == payload);
                    }
                    REQUIRE(scan_all(store, "#", 100, 77) == expected);
                    REQUIRE(store.bytes() == bytes);
                }
            }
        }
    }

    TEST_CASE("a scan finds exactly what a linear search finds") {
        topics_test::Generator random(4);
        auto less = [](const std::string& a, const std::string& b) { return compare_topics(a, b) < 0; };
        for (int round = 0; round < 60; ++round) {
            RetainedStore store;
            std::set<std::string, decltype(less)> topics(less);
            size_t count = random.below(round < 40 ? 60 : 3000);
            for (size_t i = 0; i < count; ++i) {
                auto topic = random.topic();
                topics.insert(topic);
                store.store(make(topic));
            }
            for (int i = 0; i < 60; ++i) {
                std::string filter = random.filter();
                Topics expected;
                for (auto& topic : topics)
                    if (matches(filter, topic)) expected.push_back(topic);
                CAPTURE(filter);
                REQUIRE(scan_all(store, filter, 1 + random.below(20), random.below(20)) == expected);
                REQUIRE(scan_all(store, filter, 100000, 100000) == expected);
            }
        }
    }

    TEST_CASE("a scan under changes finds every topic that stayed all the time") {
        topics_test::Generator random(5);
        for (int round = 0; round < 40; ++round) {
            RetainedStore store;
            std::set<std::string> steady;
            for (int i = 0; i < 500; ++i) steady.insert(random.topic());
            for (auto& topic : steady) store.store(make(topic));
            std::string filter = random.filter();
            std::multiset<std::string> seen;
            RetainedStore::Cursor cursor;
            while (!cursor.done) {
                std::vector<MessageRef> out;
                store.scan(filter, cursor, 3, 5, out);
                for (auto& message : out) seen.emplace(message->topic_name().text());
                for (int i = 0; i < 5; ++i) {
                    auto topic = random.topic();
                    if (steady.count(topic)) continue;
                    if (random.chance(2))
                        store.remove(topic);
                    else
                        store.store(make(topic));
                }
            }
            for (auto& topic : steady) REQUIRE(seen.count(topic) == (matches(filter, topic) ? 1u : 0u));
            for (auto& topic : seen) REQUIRE(matches(filter, topic));
        }
    }
}
