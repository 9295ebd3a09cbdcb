#include "proxy/prober.h"

#include <algorithm>
#include <system_error>

#include "base/log.h"

namespace weir::proxy {

namespace {

using policy::CheckResult;

std::string url_of(const config::Server& server) {
    const std::string address = to_string(server.address);
    if (server.address.is_unix()) return address;
    return (server.is_tls ? "https://" : "http://") + address;
}

}  // namespace

Prober::Prober(ProbeKit& kit, size_t server)
    : kit_(kit),
      server_(server),
      name_(url_of(kit.fleet().server(server))),
      question_(question_for(kit.settings(), kit.fleet().server(server))),
      check_(kit.settings().health, kit.loop.now(), kit.fleet().health(server)),
      timer_(kit.loop.timers(), &Prober::on_timer, this) {
    if (auto literal = net::SocketAddress::literal(kit.fleet().server(server).address))
        on_resolved({.addresses = {*literal}, .error = {}});
}

void Prober::on_resolved(const net::Resolution& found) {
    resolve_error_ = found.error;
    const bool is_new = !std::is_permutation(found.addresses.begin(), found.addresses.end(),
                                             addresses_.begin(), addresses_.end());
    if (is_new && !found.addresses.empty()) {
        addresses_ = found.addresses;
        address_ = 0;
        check_.hurry(kit_.loop.now());
    }
    if (!probe_) wait_for_next();
}

void Prober::hurry() {
    const bool has_begun = timer_.deadline() != kNever;
    if (!has_begun || probe_) return;
    check_.hurry(kit_.loop.now());
    wait_for_next();
}

void Prober::wait_for_next() { timer_.arm(check_.next()); }

void Prober::on_timer(void* prober, Time now) {
    auto& self = *static_cast<Prober*>(prober);
    if (self.probe_) return self.probe_->give_up(self.kit_.settings().health.timeout);
    self.begin(now);
}

void Prober::begin(Time now) {
    check_.begin(now);
    timer_.arm(now + kit_.settings().health.timeout);
    untried_ = addresses_.size();
    try_address();
}

void Prober::try_address() {
    if (untried_ == 0)  // it has none
        return conclude({.result = CheckResult::no_connection,
                         .cause = "its name cannot be resolved: " + resolve_error_,
                         .was_connected = false});
    --untried_;
    tried_ = addresses_[address_ % addresses_.size()];
    auto fd = net::start_connect(tried_);
    if (fd) {
        probe_ = std::make_unique<Probe>(kit_.loop, std::move(*fd), question_, *this,
                                         kit_.fleet().tls(server_).get());
    } else if (net::is_shortage(fd.error())) {
        check_.abandon(kit_.loop.now(), random());
        wait_for_next();
    } else {
        on_found({.result = CheckResult::no_connection,
                  .cause = std::generic_category().message(fd.error()),
                  .was_connected = false});
    }
}

void Prober::on_found(Probe::Finding finding) {
    if (probe_) kit_.loop.retire(std::move(probe_));
    if (!finding.was_connected) {
        ++address_;
        finding.cause = fmt::format("cannot connect to {}: {}", tried_.text(), finding.cause);
        const bool was_refused = finding.result == CheckResult::no_connection;
        if (was_refused && untried_ > 0) return try_address();
    }
    conclude(finding);
}

void Prober::conclude(const Probe::Finding& finding) {
    const Time now = kit_.loop.now();
    const Fleet::Health before = check_.state();
    const Duration lasted = now - check_.since();
    const bool is_first = !check_.last();
    kit_.fleet().count_check(server_, finding.result);
    const bool has_changed = check_.conclude(finding.result, now, random());
    wait_for_next();
    if (has_changed) {
        kit_.fleet().set_health(server_, check_.state(), now);
        tell_change(before, lasted, finding.cause);
        kit_.on_change(server_, check_.state());
    } else if (is_first && finding.result != CheckResult::passed) {
        log::warning("server {} fails its first check: {}", name_, finding.cause);
    }
}

void Prober::tell_change(Fleet::Health before, Duration lasted, std::string_view cause) const {
    const unsigned fall = kit_.settings().health.fall;
    if (check_.state() == Fleet::Health::down) {
        log::warning("server {} is down: {} check{} failed, last: {}", name_, fall, fall == 1 ? "" : "s",
                     cause);
    } else if (before == Fleet::Health::down) {
        const double seconds = std::chrono::duration<double>(lasted).count();
        log::info("server {} is up again after {:.1f} s", name_, seconds);
    } else {
        log::info("server {} is up", name_);
    }
}

uint32_t Prober::random() { return static_cast<uint32_t>(kit_.random()); }

}  // namespace weir::proxy
