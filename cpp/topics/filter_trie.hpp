#pragma once
// The filters with wildcards: a trie whose edges carry one or more whole levels, so that the nodes are at
// most twice the filters however deep these are. Literal children of all nodes share one flat table.

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "topics/filter_entry.hpp"
#include "topics/flat_table.hpp"
#include "topics/hash.hpp"
#include "topics/label.hpp"

namespace comqtt::topics {

class FilterTrie {
public:
    /// A node that is neither the root nor in use has at least two children.
    struct Node : FilterEntry {
        Label label;  ///< levels from the parent to here, joined by '/'
        Node* parent = nullptr;
        Node* plus = nullptr;       ///< child whose first level is '+'
        Node* rest = nullptr;       ///< child '#'
        uintptr_t literal_xor = 0;  ///< of the addresses of the other children: with one, its address
        uint32_t literals = 0;      ///< number of the other children
    };
    using Found = std::pmr::vector<const FilterEntry*>;

    explicit FilterTrie(const Hasher& hasher) : hasher_(hasher) {}
    ~FilterTrie();
    FilterTrie(const FilterTrie&) = delete;
    FilterTrie& operator=(const FilterTrie&) = delete;

    Node* find(std::string_view filter) const;
    Node& find_or_add(std::string_view filter);
    /// Frees what is no longer needed once the node's entry has become empty.
    void prune(Node& node);
    /// Appends the entries whose filter matches the topic name, those in use and some that are not. Returns how many nodes
    /// it looked at.
    size_t match(std::string_view topic_name, Found& found) const;

    std::string filter_of(const Node& node) const;
    size_t node_count() const { return nodes_; }
    /// Visits every node but the root.
    template <typename Visit>
    void each(Visit visit) const {
        each_special(root_, visit);
        edges_.each([&](Node& node) {
            visit(node);
            each_special(node, visit);
        });
    }

private:
    // The '+' child, its own '+' child and so on, each with its '#': those that are not in edges_.
    template <typename Visit>
    static void each_special(const Node& top, Visit& visit) {
        if (top.rest) visit(*top.rest);
        for (Node* node = top.plus; node; node = node->plus) {
            visit(*node);
            if (node->rest) visit(*node->rest);
        }
    }
    struct Step {
        const Node* node;
        size_t at;  ///< start of the topic's next level; beyond the end = all levels are used up
    };

    Node* child(const Node& parent, std::string_view level) const;
    Node* literal_child(const Node& parent, std::string_view level) const;
    void link(Node& parent, Node& node);
    void unlink(Node& node);
    void relink(Node& from, Node& to);
    Node& split(Node& node, size_t label_size);
    void merge_with_child(Node& node);
    static bool walk_label(std::string_view label, std::string_view topic, Step& step, bool& ended);

    const Hasher& hasher_;
    Node root_;
    FlatTable<Node> edges_;
    size_t nodes_ = 0;
};

}  // namespace comqtt::topics
