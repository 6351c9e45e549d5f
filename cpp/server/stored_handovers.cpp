#include "server/stored_handovers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>

#include "broker/shard.hpp"

namespace comqtt::server {

namespace {

constexpr uint64_t kPageBytes = 4u << 20;

struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    bool here = false;
};

/// Asks the stores for the messages of the log behind `after`, and waits for the answer.
Result<Ref<hooks::Load>> load_page(broker::Core& core, const std::string& log, uint64_t after) {
    hooks::Load::Request request;
    request.client_id = log;
    request.after = after;
    request.max_bytes = kPageBytes;
    const auto answer = std::make_shared<Answer>();
    const auto load = Ref<hooks::Load>::adopt(new hooks::Load(std::move(request), [answer] {
        const std::lock_guard lock(answer->mutex);
        answer->here = true;
        answer->came.notify_all();
    }));
    core.hooks.ask_stores(*load, core.clock->wall_ms());
    {
        std::unique_lock lock(answer->mutex);
        answer->came.wait_for(lock, std::chrono::milliseconds(core.config.limits.deferral_timeout_ms),
                              [&] { return answer->here; });
    }
    if (!load->completed()) load->complete(Status::timeout, "the store did not answer in time");
    if (load->status() != Status::ok && load->status() != Status::not_found)
        return Error{load->status(), load->text()};
    return load;
}

}  // namespace

bool StoredHandovers::add(const hooks::StoredClient& log) {
    if (!broker::HandoverLog::of(log.id)) return false;
    logs_.push_back(log);
    return true;
}

bool StoredHandovers::add(hooks::StoredMessage& message) {
    if (!broker::HandoverLog::of(message.client_id)) return false;
    messages_.push_back(std::move(message));
    return true;
}

Result<void> StoredHandovers::deliver() {
    broker::Shard& first = *core_.shards[0];
    for (const hooks::StoredClient& log : logs_) {
        std::vector<hooks::StoredMessage> pushed;
        for (hooks::StoredMessage& message : messages_)
            if (message.client_id == log.id) pushed.push_back(std::move(message));
        std::sort(pushed.begin(), pushed.end(),
                  [](const auto& a, const auto& b) { return a.position < b.position; });
        if (!pushed.empty()) {
            first.replay_handovers(log, pushed);
        } else if (auto delivered = deliver_page_by_page(log); !delivered) {
            return delivered;
        }
        first.end_handover_log(log);
    }
    logs_.clear();
    messages_.clear();
    return {};
}

Result<void> StoredHandovers::deliver_page_by_page(const hooks::StoredClient& log) {
    uint64_t after = 0;
    uint64_t delivered = 0;
    while (delivered < log.queued_messages) {
        auto page = load_page(core_, log.id, after);
        if (!page)
            return Error{page.error().status,
                         fmt::format("messages between threads could not be read: {}", page.error().message)};
        const std::vector<hooks::StoredMessage>& messages = (*page)->messages;
        if (messages.empty()) break;
        core_.shards[0]->replay_handovers(log, messages);
        delivered += messages.size();
        after = messages.back().position;
    }
    if (delivered)
        core_.log.write(LogLevel::info, "broker",
                        "{} messages that were on their way between threads at the end were delivered",
                        delivered);
    return {};
}

}  // namespace comqtt::server
