#pragma once
// Up to 512 retained messages in the order of their topics. Beside each pointer lie four bytes of its topic,
// from where the topics of the block begin to differ, so that a search looks at two or three messages.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mqtt/message.hpp"

namespace comqtt::topics {

using mqtt::Message;
using mqtt::MessageRef;
using mqtt::Origin;

inline std::string_view topic_of(const MessageRef& message) { return message->topic_name().text(); }

class RetainedBlock {
public:
    static constexpr size_t kMaximum = 512;

    size_t size() const { return entries_.size(); }
    bool full() const { return entries_.size() == kMaximum; }
    const MessageRef& operator[](size_t at) const { return entries_[at]; }
    const MessageRef& back() const { return entries_.back(); }

    /// True when the first topic is above this one.
    bool starts_above(std::string_view topic) const;
    /// Index of the first message whose topic is not below this one.
    size_t lower_bound(std::string_view topic) const;

    void insert(size_t at, MessageRef message);
    /// Puts a message of the same topic in the place of the one there, which is returned.
    MessageRef replace(size_t at, MessageRef message);
    MessageRef erase(size_t at);
    /// Takes the messages from `at` on into a block of their own.
    RetainedBlock split(size_t at);
    /// Appends all messages of the block that follows.
    void append(RetainedBlock&& next);

private:
    static constexpr size_t kHead = 32;

    std::string_view head() const { return {head_, head_size_}; }
    void note_head();
    void note_keys();

    std::vector<MessageRef> entries_;
    std::vector<uint32_t> keys_;
    size_t shared_ = 0;  ///< bytes that all topics begin with; perhaps not all of them
    uint32_t head_size_ = 0;
    char head_[kHead] = {};  ///< beginning of the first topic
};

}  // namespace comqtt::topics
