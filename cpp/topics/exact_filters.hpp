#pragma once
// The filters without wildcards: one hash of the whole filter.

#include <string_view>

#include "topics/filter_entry.hpp"
#include "topics/flat_table.hpp"
#include "topics/hash.hpp"
#include "topics/label.hpp"

namespace comqtt::topics {

class ExactFilters {
public:
    struct Entry : FilterEntry {
        Label filter;
    };

    explicit ExactFilters(const Hasher& hasher) : hasher_(hasher) {}
    ~ExactFilters() {
        table_.each([](Entry& entry) { delete &entry; });
    }
    ExactFilters(const ExactFilters&) = delete;
    ExactFilters& operator=(const ExactFilters&) = delete;

    Entry* find(std::string_view filter) const {
        return table_.find(hasher_(filter),
                           [&](const Entry& entry) { return entry.filter.text() == filter; });
    }
    Entry& find_or_add(std::string_view filter) {
        if (Entry* entry = find(filter)) return *entry;
        auto* entry = new Entry;
        entry->filter = Label(filter);
        table_.insert(hasher_(filter), entry);
        return *entry;
    }
    void erase(Entry& entry) {
        table_.erase(hasher_(entry.filter.text()), &entry);
        delete &entry;
    }
    template <typename Visit>
    void each(Visit visit) const {
        table_.each(visit);
    }

private:
    const Hasher& hasher_;
    FlatTable<Entry> table_;
};

}  // namespace comqtt::topics
