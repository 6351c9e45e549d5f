#pragma once
// CallBound: base of what views bytes that are gone when the call returns (the read buffer, a hook's packet).

#include <cstddef>

namespace comqtt {

/// Lives on the stack, and is passed by reference: it can be neither copied nor moved nor put on the heap, so no queue,
/// task or container can hold one. What has to stay is made a Message of.
class CallBound {
public:
    CallBound() = default;
    CallBound(const CallBound&) = delete;
    CallBound& operator=(const CallBound&) = delete;
    static void* operator new(size_t) = delete;
    static void* operator new[](size_t) = delete;
};

}  // namespace comqtt
