#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "topology.hpp"

namespace comqtt::bench {

// The order in which a publisher of `wildcard` visits all filters of all clients: a fixed
// shuffle, so that no two packets in a row have the same topic. Shared by the publishers.
class WildcardWalk {
public:
    WildcardWalk(std::size_t clients, std::size_t filters, std::size_t leaves)
        : clients_(clients), leaves_(leaves) {
        for (std::size_t i = 0; i < digits_.size(); ++i) {
            const std::size_t places[] = {i / 1000 % 10, i / 100 % 10, i / 10 % 10, i % 10};
            for (std::size_t k = 0; k < 4; ++k) {
                digits_[i][k] = static_cast<char>('0' + places[k]);
            }
        }
        for (std::uint32_t c = 0; c < clients; ++c) {
            for (std::uint32_t f = 0; f < filters; ++f) order_.push_back(c << 16 | f);
        }
        std::shuffle(order_.begin(), order_.end(), std::mt19937(1));
    }

    // Where one publisher is.
    struct Place {
        std::size_t at = 0;
        std::size_t leaf = 0;
    };

    // Writes the next topic's digits and returns the client that receives it.
    std::uint32_t step(Place& place, std::uint8_t* topic) const {
        const std::uint32_t entry = order_[place.at];
        std::memcpy(topic + kWildcardClientAt, digits_[entry >> 16].data(), 4);
        std::memcpy(topic + kWildcardFilterAt, digits_[entry & 0xffff].data(), 4);
        topic[kWildcardLeafAt] = static_cast<std::uint8_t>('0' + place.leaf);
        if (++place.at == order_.size()) {
            place.at = 0;
            place.leaf = (place.leaf + 1) % leaves_;
        }
        return entry >> 16;
    }

    std::size_t clients() const { return clients_; }

    // Publishers start at different places.
    Place start_of(std::size_t publisher, std::size_t publishers) const {
        return {order_.size() * publisher / publishers, publisher % leaves_};
    }

private:
    std::size_t clients_;
    std::size_t leaves_;
    std::array<std::array<char, 4>, 10'000> digits_;
    std::vector<std::uint32_t> order_;
};

}  // namespace comqtt::bench
