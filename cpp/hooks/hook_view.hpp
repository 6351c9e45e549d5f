#pragma once
// HookView: what one thread knows of a dispatcher's list of hooks, so that an event costs neither a lock nor a shared
// count. One per shard; used on its thread only. It is compared with the dispatcher's version at each event.

#include <cstdint>
#include <memory>
#include <vector>

namespace comqtt::hooks {

class Hook;
class Dispatcher;

class HookView {
public:
    HookView() = default;
    HookView(const HookView&) = delete;
    HookView& operator=(const HookView&) = delete;

private:
    friend class Dispatcher;
    uint64_t version_ = 0;
    unsigned depth_ = 0;                            ///< calls under way, one inside the other
    std::shared_ptr<const void> list_;              ///< Dispatcher::List
    std::vector<std::shared_ptr<const void>> old_;  ///< that a call under way still goes through
};

}  // namespace comqtt::hooks
