#pragma once
// A slow, obvious model of topic matching and a generator of topics and filters that often meet.

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace topics_test {

inline std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> levels(1);
    for (char c : text) {
        if (c == '/')
            levels.emplace_back();
        else
            levels.back().push_back(c);
    }
    return levels;
}

inline bool levels_match(const std::vector<std::string>& filter, size_t f,
                         const std::vector<std::string>& topic, size_t t) {
    if (f == filter.size()) return t == topic.size();
    if (filter[f] == "#") return true;
    if (t == topic.size()) return false;
    return (filter[f] == "+" || filter[f] == topic[t]) && levels_match(filter, f + 1, topic, t + 1);
}

inline bool model_matches(const std::string& filter, const std::string& topic) {
    if (topic[0] == '$' && (filter[0] == '+' || filter[0] == '#')) return false;
    return levels_match(split(filter), 0, split(topic), 0);
}

class Generator {
public:
    explicit Generator(uint32_t seed) : random_(seed) {}

    size_t below(size_t bound) { return random_() % bound; }
    bool chance(size_t one_in) { return below(one_in) == 0; }

    std::string topic() {
        std::string out;
        do {
            out.clear();
            size_t levels = 1 + below(5);
            for (size_t i = 0; i < levels; ++i) {
                if (i) out += '/';
                out += literal(i);
            }
        } while (out.empty());
        return out;
    }
    std::string filter() {
        std::string out;
        do {
            out.clear();
            size_t levels = 1 + below(5);
            for (size_t i = 0; i < levels; ++i) {
                if (i) out += '/';
                if (i + 1 == levels && chance(4))
                    out += '#';
                else if (chance(3))
                    out += '+';
                else
                    out += literal(i);
            }
        } while (out.empty());
        return out;
    }

private:
    std::string literal(size_t level) {
        static const char* const kLevels[] = {"a", "b", "ab", "a b", "", "c", "!", "a\x01", "\xC3\xA9"};
        if (level == 0 && chance(6)) return chance(2) ? "$SYS" : "$";
        return kLevels[below(chance(3) ? 9 : 3)];
    }
    std::mt19937 random_;
};

}  // namespace topics_test
