#pragma once
// ShareName: the shared subscription through which a message came.

#include <string>
#include <string_view>

#include "base/ref.hpp"

namespace comqtt::session {

struct ShareName : RefCounted<ShareName> {
    ShareName(std::string_view name, std::string_view filter) : share_name(name), topic_filter(filter) {}
    static Ref<ShareName> make(std::string_view name, std::string_view filter) {
        return Ref<ShareName>::adopt(new ShareName(name, filter));
    }
    /// `$share/...`
    std::string text() const { return "$share/" + share_name + "/" + topic_filter; }

    const std::string share_name;
    const std::string topic_filter;
};

}  // namespace comqtt::session
