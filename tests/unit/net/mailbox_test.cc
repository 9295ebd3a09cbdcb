#include "net/mailbox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "net/driven_loop.h"

namespace weir::net {

TEST_CASE("letters are run on the loop's thread, in the order in which they were posted") {
    DrivenLoop driven;
    Mailbox mailbox(driven.loop);
    std::vector<int> run;
    bool all_on_this_thread = true;
    const auto here = std::this_thread::get_id();
    constexpr int kLetters = 1000;
    std::thread sender([&] {
        for (int i = 0; i < kLetters; ++i) {
            mailbox.post([&, i] {
                run.push_back(i);
                all_on_this_thread = all_on_this_thread && std::this_thread::get_id() == here;
            });
        }
    });
    const bool arrived = driven.until([&] { return run.size() == kLetters; });
    sender.join();
    REQUIRE(arrived);
    CHECK(all_on_this_thread);
    CHECK(std::ranges::is_sorted(run));
}

TEST_CASE("letters of several threads all arrive") {
    DrivenLoop driven;
    Mailbox mailbox(driven.loop);
    int run = 0;
    std::vector<std::thread> senders;
    for (int sender = 0; sender < 4; ++sender) {
        senders.emplace_back([&] {
            for (int i = 0; i < 250; ++i) mailbox.post([&] { ++run; });
        });
    }
    const bool arrived = driven.until([&] { return run == 1000; });
    for (std::thread& sender : senders) sender.join();
    CHECK(arrived);
}

TEST_CASE("a letter may post another one") {
    DrivenLoop driven;
    Mailbox mailbox(driven.loop);
    std::string run;
    mailbox.post([&] {
        mailbox.post([&] { run += "second "; });
        run += "first ";
    });
    CHECK(driven.until([&] { return run == "first second "; }));
}

TEST_CASE("what nobody reads any more is dropped unseen, and its belongings with it") {
    DrivenLoop driven;
    auto belonging = std::make_shared<int>(0);
    bool ran = false;
    {
        Mailbox mailbox(driven.loop);
        mailbox.post([belonging, &ran] { ran = true; });
    }
    driven.settle();
    CHECK_FALSE(ran);
    CHECK(belonging.use_count() == 1);
}

}  // namespace weir::net
