#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "client.hpp"
#include "histogram.hpp"
#include "publisher.hpp"
#include "stream_check.hpp"
#include "wire.hpp"

namespace comqtt::bench {

// One receiving client. Checks every message against its stream, acknowledges it, tells the
// publisher. Messages of the same layout as the previous one, which is nearly all, take a path
// that compares two words and adds to a counter.
class Subscriber : public Client {
public:
    Subscriber(Connection connection, int protocol, std::uint32_t first_publisher,
               std::uint32_t publisher_count, std::vector<std::unique_ptr<Publisher>>& publishers);

    const std::uint8_t* consume(const std::uint8_t* begin, const std::uint8_t* end) override;

    // Members of a shared group: the streams of all members are one, `checks`.
    void join_group(std::vector<StreamCheck>* checks);
    // Latencies go here until it is changed; nullptr: not measured.
    void set_histogram(Histogram* histogram) { histogram_ = histogram; }

    std::uint64_t received() const { return received_; }
    std::uint64_t unknown() const { return unknown_; }
    const std::vector<StreamCheck>& checks() const { return checks_; }
    // Of a group's member: messages older than one it received before.
    std::uint64_t reordered_in_group() const { return reordered_in_group_; }

private:
    // The run of messages of one publisher that is being counted.
    struct Run {
        std::uint64_t key = ~0ULL;
        std::uint32_t index = 0;
        std::uint64_t count = 0;
    };

    const std::uint8_t* consume_alike(const std::uint8_t* begin, const std::uint8_t* end);
    void on_frame(const Frame& frame);
    void learn(const Frame& frame, const PublishLayout& layout);
    bool is_alike(const std::uint8_t* p) const { return ((load_u64(p) ^ head_) & head_mask_) == 0; }
    void on_message(const std::uint8_t* payload);
    bool switch_run(std::uint64_t key);
    void end_run();
    void on_surprise(std::uint64_t seq);
    void acknowledge(std::uint8_t first, const std::uint8_t* packet_id);

    int protocol_;
    std::uint32_t first_publisher_;
    std::vector<std::unique_ptr<Publisher>>& publishers_;
    std::vector<StreamCheck> checks_;

    std::vector<StreamCheck>* group_ = nullptr;
    std::vector<std::uint64_t> next_in_group_;
    std::uint64_t reordered_in_group_ = 0;

    // Layout of the last PUBLISH: first byte, length and topic length as one masked word.
    std::uint64_t head_ = 0;
    std::uint64_t head_mask_ = 0;
    std::size_t packet_size_ = 0;  // 0: none seen
    std::size_t payload_at_ = 0;
    std::size_t packet_id_at_ = 0;
    std::uint8_t ack_first_ = 0;

    Run run_;
    std::uint64_t received_ = 0;
    std::uint64_t unknown_ = 0;
    Histogram* histogram_ = nullptr;
    std::uint64_t now_ = 0;
};

}  // namespace comqtt::bench
