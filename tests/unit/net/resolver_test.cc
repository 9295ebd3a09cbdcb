#include "net/resolver.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace weir::net {

namespace {

using namespace std::chrono_literals;

Endpoint endpoint(const std::string& host, uint16_t port) { return {.host = host, .port = port, .path = {}}; }

/// A label has at most 63 letters, so no network is asked.
const std::string kNoName(64, 'x');

/// What a resolver reported, by endpoint.
class Reports {
  public:
    explicit Reports(size_t endpoints) : of_(endpoints) {}

    void add(size_t index, const Resolution& resolution) {
        std::lock_guard lock(mutex_);
        of_[index].push_back(resolution);
        changed_.notify_all();
    }
    bool wait_for(size_t index, size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 20s, [&] { return of_[index].size() >= count; });
    }
    std::vector<Resolution> of(size_t index) {
        std::lock_guard lock(mutex_);
        return of_[index];
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::vector<Resolution>> of_;
};

std::unique_ptr<Resolver> begun(std::vector<Endpoint> endpoints, Resolver::OnResolved on_resolved) {
    auto resolver = Resolver::make(std::move(endpoints), std::move(on_resolved));
    REQUIRE(resolver.has_value());
    (*resolver)->begin();
    return std::move(*resolver);
}

}  // namespace

TEST_CASE("a literal address stands for itself, with its port") {
    auto v4 = resolve(endpoint("192.0.2.7", 81));
    CHECK(v4.error.empty());
    REQUIRE(v4.addresses.size() == 1);
    CHECK(v4.addresses[0].text() == "192.0.2.7:81");
    auto v6 = resolve(endpoint("2001:db8::7", 82));
    REQUIRE(v6.addresses.size() == 1);
    CHECK(v6.addresses[0].text() == "[2001:db8::7]:82");
    auto path = resolve({.host = {}, .port = 0, .path = "/run/app.sock"});
    REQUIRE(path.addresses.size() == 1);
    CHECK(path.addresses[0].text() == "unix:/run/app.sock");
}

TEST_CASE("localhost is a loopback address, named once each") {
    auto found = resolve(endpoint("localhost", 80));
    CHECK(found.error.empty());
    REQUIRE_FALSE(found.addresses.empty());
    for (size_t i = 0; i < found.addresses.size(); ++i) {
        const std::string text = found.addresses[i].text();
        const bool is_loopback = text.starts_with("127.") || text == "[::1]:80";
        CHECK_MESSAGE(is_loopback, text);
        for (size_t j = 0; j < i; ++j) CHECK_FALSE(found.addresses[j] == found.addresses[i]);
    }
}

TEST_CASE("a name that cannot be found gives no address, and the cause") {
    auto found = resolve(endpoint(kNoName, 80));
    CHECK(found.addresses.empty());
    CHECK_FALSE(found.error.empty());
}

TEST_CASE("every endpoint is reported at start; a literal one never again") {
    Reports reports(3);
    const auto resolver = begun(
        {endpoint("192.0.2.7", 80), endpoint(kNoName, 80), {.host = {}, .port = 0, .path = "/run/app.sock"}},
        [&](size_t index, const Resolution& resolution) { reports.add(index, resolution); });
    for (size_t index = 0; index < 3; ++index) REQUIRE(reports.wait_for(index, 1));
    // The next round, asked for early, comes after kMinGap.
    resolver->ask_again();
    REQUIRE(reports.wait_for(1, 2));
    CHECK(reports.of(0).size() == 1);
    CHECK(reports.of(2).size() == 1);
    CHECK(reports.of(0)[0].addresses.size() == 1);
    CHECK(reports.of(1)[0].addresses.empty());
    CHECK_FALSE(reports.of(1)[1].error.empty());
}

TEST_CASE("a resolver that waits for its next round ends at once") {
    const Time start = monotonic_now();
    {
        Reports reports(1);
        const auto resolver = begun({endpoint("192.0.2.7", 80)}, [&](size_t index, const Resolution& found) {
            reports.add(index, found);
        });
        REQUIRE(reports.wait_for(0, 1));
    }
    CHECK(monotonic_now() - start < Resolver::kPeriod);
}

TEST_CASE("a resolver that has not begun reports nothing, and ends at once") {
    Reports reports(1);
    {
        const auto resolver =
            Resolver::make({endpoint("192.0.2.7", 80)},
                           [&](size_t index, const Resolution& found) { reports.add(index, found); });
        REQUIRE(resolver.has_value());
        (*resolver)->ask_again();
    }
    CHECK(reports.of(0).empty());
}

}  // namespace weir::net
