#include "hooks/deferral.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "stage.hpp"

using namespace comqtt;
using namespace comqtt::hooks;
using namespace comqtt::hooks::test;

namespace {

struct Listener {
    std::atomic<int> called{0};
    std::atomic<int> dropped{0};
    void listen(Deferral& deferral) {
        deferral.on_cancel([](void* user) { ++static_cast<Listener*>(user)->called; }, this,
                           [](void* user) { ++static_cast<Listener*>(user)->dropped; });
    }
};

struct Waiting {
    Ref<Client> client = make_client();
    int woken = 0;
    Ref<Deferral> deferral = Ref<Deferral>::adopt(new Deferral(7, client, {}, [this](Deferral& completed) {
        ++woken;
        CHECK(completed.state() == Deferral::State::completed);
    }));
};

DeferralResult allow() {
    DeferralResult result;
    result.value = static_cast<int>(Verdict::allow);
    return result;
}

}  // namespace

TEST_CASE("a deferral is completed once and the shard is woken with the result") {
    Waiting waiting;
    CHECK(waiting.deferral->number == 7);
    CHECK(&waiting.deferral->client() == waiting.client.get());
    CHECK(waiting.deferral->state() == Deferral::State::pending);
    DeferralResult result;
    result.value = static_cast<int>(Verdict::deny);
    result.reason = mqtt::Reason::banned;
    result.has_reason = true;
    result.text = "why";
    result.delay_ms = 20;
    CHECK(waiting.deferral->complete(result) == Status::ok);
    CHECK(waiting.woken == 1);
    CHECK(waiting.deferral->complete(allow()) == Status::state);
    CHECK(waiting.woken == 1);
    const DeferralResult& kept = waiting.deferral->result();
    CHECK(kept.value == static_cast<int>(Verdict::deny));
    CHECK(kept.reason == mqtt::Reason::banned);
    CHECK(kept.has_reason);
    CHECK(kept.text == "why");
    CHECK(kept.delay_ms == 20);
}

TEST_CASE("completing too late tells whether the client has gone or the time has passed") {
    Waiting gone, late;
    CHECK(gone.deferral->cancel(Deferral::State::cancelled));
    CHECK(gone.deferral->complete(allow()) == Status::cancelled);
    CHECK(late.deferral->cancel(Deferral::State::expired));
    CHECK(late.deferral->complete(allow()) == Status::timeout);
    CHECK(gone.woken + late.woken == 0);
    CHECK(gone.deferral->state() == Deferral::State::cancelled);
    CHECK(late.deferral->state() == Deferral::State::expired);
}

TEST_CASE("what is completed or cancelled cannot be cancelled any more") {
    Waiting completed, cancelled;
    completed.deferral->complete(allow());
    CHECK_FALSE(completed.deferral->cancel(Deferral::State::expired));
    CHECK(completed.deferral->state() == Deferral::State::completed);
    cancelled.deferral->cancel(Deferral::State::cancelled);
    CHECK_FALSE(cancelled.deferral->cancel(Deferral::State::expired));
    CHECK(cancelled.deferral->state() == Deferral::State::cancelled);
}

TEST_CASE("cancelling calls each listener once and drops it after") {
    for (const auto why : {Deferral::State::cancelled, Deferral::State::expired}) {
        Listener first, second;
        Waiting waiting;
        first.listen(*waiting.deferral);
        second.listen(*waiting.deferral);
        CHECK(first.called == 0);
        waiting.deferral->cancel(why);
        waiting.deferral->cancel(why);
        waiting.deferral = {};
        for (const Listener* counts : {&first, &second}) {
            CHECK(counts->called == 1);
            CHECK(counts->dropped == 1);
        }
    }
}

TEST_CASE("a listener that comes too late is called at once, unless there was a result") {
    Waiting cancelled, completed;
    Listener of_cancelled, of_completed;
    cancelled.deferral->cancel(Deferral::State::expired);
    of_cancelled.listen(*cancelled.deferral);
    CHECK(of_cancelled.called == 1);
    CHECK(of_cancelled.dropped == 1);
    completed.deferral->complete(allow());
    of_completed.listen(*completed.deferral);
    CHECK(of_completed.called == 0);
    CHECK(of_completed.dropped == 1);
}

TEST_CASE("listeners of a deferral that was completed are dropped with it, without a call") {
    Listener counts;
    Waiting waiting;
    counts.listen(*waiting.deferral);
    waiting.deferral->complete(allow());
    CHECK(counts.dropped == 0);
    waiting.deferral = {};
    CHECK(counts.called == 0);
    CHECK(counts.dropped == 1);
}

TEST_CASE("a listener may be without a drop, and a deferral without anyone to wake") {
    int called = 0;
    const auto deferral = Ref<Deferral>::adopt(new Deferral(1, make_client(), make_box(), nullptr));
    CHECK(deferral->packet() != nullptr);
    deferral->on_cancel([](void* user) { ++*static_cast<int*>(user); }, &called, nullptr);
    deferral->cancel(Deferral::State::cancelled);
    CHECK(called == 1);
    const auto other = Ref<Deferral>::adopt(new Deferral(2, make_client(), {}, nullptr));
    CHECK(other->packet() == nullptr);
    CHECK(other->complete(allow()) == Status::ok);
}

TEST_CASE("of threads that complete and a shard that cancels exactly one wins") {
    for (int round = 0; round < 300; ++round) {
        std::atomic<int> woken{0}, completed{0}, cancelled{0}, ready{0};
        Listener counts;
        auto deferral = Ref<Deferral>::adopt(new Deferral(1, make_client(), {}, [&](Deferral&) { ++woken; }));
        counts.listen(*deferral);
        const auto meet = [&] {
            ++ready;
            while (ready < 3) std::this_thread::yield();
        };
        const auto complete = [&] {
            meet();
            completed += deferral->complete(allow()) == Status::ok;
        };
        std::thread first(complete), second(complete), shard([&] {
            meet();
            cancelled += deferral->cancel(Deferral::State::expired);
        });
        first.join();
        second.join();
        shard.join();
        deferral = {};
        REQUIRE(completed + cancelled == 1);
        REQUIRE(woken == completed);
        REQUIRE(counts.called == cancelled);
        REQUIRE(counts.dropped == 1);
    }
}
