#include "topics/filter_trie.hpp"

#include <doctest/doctest.h>

#include <map>

#include "model.hpp"

using namespace comqtt::topics;

TEST_SUITE("topics/trie") {
    TEST_CASE("nodes are at most twice the filters and none is left when all filters are gone") {
        Hasher hasher;
        FilterTrie trie(hasher);
        topics_test::Generator random(21);
        std::map<std::string, FilterTrie::Node*> used;
        for (int i = 0; i < 20000; ++i) {
            std::string filter = random.filter();
            if (random.chance(i < 10000 ? 3 : 1 + (i % 3 == 0))) {
                auto found = used.find(filter);
                if (found == used.end()) continue;
                FilterTrie::Node* node = trie.find(filter);
                REQUIRE(node);
                node->plain.erase({1});
                trie.prune(*node);
                used.erase(found);
            } else {
                FilterTrie::Node& node = trie.find_or_add(filter);
                node.plain.put({{1}, {}});
                REQUIRE(trie.filter_of(node) == filter);
                used[filter] = &node;
            }
            REQUIRE(trie.node_count() <= 2 * used.size());
        }
        for (auto& [filter, unused] : used) {
            FilterTrie::Node* node = trie.find(filter);
            REQUIRE(node);
            node->plain.erase({1});
            trie.prune(*node);
        }
        CHECK(trie.node_count() == 0);
    }

    TEST_CASE("a deep filter is one node, and two that part late are three") {
        Hasher hasher;
        FilterTrie trie(hasher);
        std::string deep(60000, '/');
        trie.find_or_add(deep + "+").plain.put({{1}, {}});
        CHECK(trie.node_count() == 1);
        trie.find_or_add(deep + "#").plain.put({{1}, {}});
        CHECK(trie.node_count() == 3);
        CHECK_FALSE(trie.find(deep));
        REQUIRE(trie.find(deep.substr(1)));  // where they part
        CHECK(trie.find(deep.substr(1))->empty());
        CHECK_FALSE(trie.find(deep.substr(2)));
        FilterTrie::Node* node = trie.find(deep + "+");
        REQUIRE(node);
        node->plain.erase({1});
        trie.prune(*node);
        CHECK(trie.node_count() == 1);
        CHECK(trie.find(deep + "#"));
    }
}
