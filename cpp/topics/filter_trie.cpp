#include "topics/filter_trie.hpp"

#include <algorithm>

#include "topics/levels.hpp"

namespace comqtt::topics {

namespace {

// How many bytes of the label the filter shares in whole levels; the first level is known to be equal.
size_t shared_levels(std::string_view label, std::string_view filter) {
    size_t shorter = std::min(label.size(), filter.size());
    auto difference =
        std::mismatch(label.begin(), label.begin() + static_cast<ptrdiff_t>(shorter), filter.begin());
    auto at = static_cast<size_t>(difference.first - label.begin());
    bool label_ends = at == label.size() || label[at] == '/';
    bool filter_ends = at == filter.size() || filter[at] == '/';
    return label_ends && filter_ends ? at : label.rfind('/', at - 1);
}

}  // namespace

FilterTrie::~FilterTrie() {
    std::vector<Node*> all;
    all.reserve(nodes_);
    each([&](Node& node) { all.push_back(&node); });
    for (Node* node : all) delete node;
}

FilterTrie::Node* FilterTrie::literal_child(const Node& parent, std::string_view level) const {
    if (parent.literals == 0) return nullptr;
    return edges_.find(hasher_(&parent, level), [&](const Node& node) {
        return node.parent == &parent && first_level(node.label.text()) == level;
    });
}

FilterTrie::Node* FilterTrie::child(const Node& parent, std::string_view level) const {
    if (level == "+") return parent.plus;
    if (level == "#") return parent.rest;
    return literal_child(parent, level);
}

FilterTrie::Node* FilterTrie::find(std::string_view filter) const {
    const Node* parent = &root_;
    for (;;) {
        Node* node = child(*parent, first_level(filter));
        if (!node) return nullptr;
        std::string_view label = node->label.text();
        if (shared_levels(label, filter) != label.size()) return nullptr;
        if (filter.size() == label.size()) return node;
        filter.remove_prefix(label.size() + 1);
        parent = node;
    }
}

FilterTrie::Node& FilterTrie::find_or_add(std::string_view filter) {
    Node* parent = &root_;
    for (;;) {
        Node* node = child(*parent, first_level(filter));
        if (!node) {
            node = new Node;
            ++nodes_;
            node->label = Label(filter);
            link(*parent, *node);
            return *node;
        }
        size_t shared = shared_levels(node->label.text(), filter);
        if (shared != node->label.text().size()) node = &split(*node, shared);
        if (filter.size() == shared) return *node;
        filter.remove_prefix(shared + 1);
        parent = node;
    }
}

void FilterTrie::link(Node& parent, Node& node) {
    node.parent = &parent;
    std::string_view level = first_level(node.label.text());
    if (level == "+") {
        parent.plus = &node;
    } else if (level == "#") {
        parent.rest = &node;
    } else {
        edges_.insert(hasher_(&parent, level), &node);
        parent.literal_xor ^= reinterpret_cast<uintptr_t>(&node);
        ++parent.literals;
    }
}

void FilterTrie::unlink(Node& node) {
    Node& parent = *node.parent;
    if (parent.plus == &node) {
        parent.plus = nullptr;
    } else if (parent.rest == &node) {
        parent.rest = nullptr;
    } else {
        edges_.erase(hasher_(&parent, first_level(node.label.text())), &node);
        parent.literal_xor ^= reinterpret_cast<uintptr_t>(&node);
        --parent.literals;
    }
}

// Puts `to` in the place that `from` has under its parent; both begin with the same level.
void FilterTrie::relink(Node& from, Node& to) {
    Node& parent = *from.parent;
    to.parent = &parent;
    if (parent.plus == &from) {
        parent.plus = &to;
    } else {
        edges_.replace(hasher_(&parent, first_level(from.label.text())), &from, &to);
        parent.literal_xor ^= reinterpret_cast<uintptr_t>(&from) ^ reinterpret_cast<uintptr_t>(&to);
    }
}

// Makes a node of the first `label_size` bytes of the node's label, above it.
FilterTrie::Node& FilterTrie::split(Node& node, size_t label_size) {
    auto* upper = new Node;
    ++nodes_;
    std::string_view label = node.label.text();
    upper->label = Label(label.substr(0, label_size));
    relink(node, *upper);
    node.label = Label(label.substr(label_size + 1));
    link(*upper, node);
    return *upper;
}

void FilterTrie::prune(Node& node) {
    Node* at = &node;
    while (at != &root_ && at->empty()) {
        uint32_t children = at->literals + (at->plus ? 1 : 0) + (at->rest ? 1 : 0);
        if (children > 1) return;
        if (children == 1) return merge_with_child(*at);
        Node* parent = at->parent;
        unlink(*at);
        delete at;
        --nodes_;
        at = parent;
    }
}

void FilterTrie::merge_with_child(Node& node) {
    Node& lower = node.plus   ? *node.plus
                  : node.rest ? *node.rest
                              : *reinterpret_cast<Node*>(node.literal_xor);
    unlink(lower);
    std::string joined(node.label.text());
    joined.append("/").append(lower.label.text());
    lower.label = Label(joined);
    relink(node, lower);
    delete &node;
    --nodes_;
}

// Follows a label along the topic. False when it does not fit; `ended` when it ended in '#', which takes
// all that is left, be it nothing.
bool FilterTrie::walk_label(std::string_view label, std::string_view topic, Step& step, bool& ended) {
    size_t label_at = 0;
    size_t at = step.at;
    while (label_at <= label.size()) {
        size_t label_stop = level_end(label, label_at);
        std::string_view level = label.substr(label_at, label_stop - label_at);
        if (level == "#") {
            ended = true;
            return true;
        }
        if (at > topic.size()) return false;
        size_t stop = level_end(topic, at);
        if (level != "+" && level != topic.substr(at, stop - at)) return false;
        label_at = label_stop + 1;
        at = stop + 1;
    }
    step.at = at;
    return true;
}

size_t FilterTrie::match(std::string_view topic, Found& found) const {
    // An own stack: a client may make filters of thousands of levels.
    std::pmr::vector<Step> stack(found.get_allocator());
    stack.reserve(32);
    size_t looked_at = 0;
    auto descend = [&](const Node* node, size_t at) {
        if (!node) return;
        ++looked_at;
        Step step{node, at};
        bool ended = false;
        if (!walk_label(node->label.text(), topic, step, ended)) return;
        if (ended)
            found.push_back(node);
        else
            stack.push_back(step);
    };

    // [MQTT-4.7.2-1] A filter that begins with a wildcard does not match a topic that begins with `$`.
    bool system = topic.starts_with('$');
    if (!system && root_.rest) found.push_back(root_.rest);
    if (!system) descend(root_.plus, 0);
    descend(literal_child(root_, first_level(topic)), 0);
    while (!stack.empty()) {
        Step step = stack.back();
        stack.pop_back();
        const Node& node = *step.node;
        if (node.rest) found.push_back(node.rest);
        if (step.at > topic.size()) {
            found.push_back(&node);
            continue;
        }
        if (node.plus) descend(node.plus, step.at);
        if (node.literals)
            descend(literal_child(node, topic.substr(step.at, level_end(topic, step.at) - step.at)), step.at);
    }
    return looked_at;
}

std::string FilterTrie::filter_of(const Node& node) const {
    std::vector<std::string_view> labels;
    for (const Node* at = &node; at != &root_; at = at->parent) labels.push_back(at->label.text());
    std::string filter(labels.back());
    for (auto label = labels.rbegin() + 1; label != labels.rend(); ++label) filter.append("/").append(*label);
    return filter;
}

}  // namespace comqtt::topics
