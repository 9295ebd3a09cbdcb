#include "config/cross_check.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/admin_checks.h"
#include "config/answer_checks.h"
#include "config/findings.h"
#include "config/limit_checks.h"
#include "config/listen_checks.h"
#include "config/route_checks.h"
#include "config/text.h"
#include "config/units.h"
#include "config/upstream_checks.h"
#include "config/words.h"

namespace weir::config {
namespace {

constexpr std::string_view kWayOut =
    "the smallest configuration is\n"
    "  listen: 0.0.0.0:8080\n"
    "  upstream: http://127.0.0.1:5000";

/// Every address of a family, as a listener without a host has it.
constexpr std::string_view kAnyV4 = "0.0.0.0";
constexpr std::string_view kAnyV6 = "::";

/// One spelling for each address; an IPv4 address inside IPv6 is the IPv4 address.
std::string canonical(const std::string& host) {
    in6_addr v6{};
    if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return lower_case(host);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        inet_ntop(AF_INET, &v6.s6_addr[12], text.data(), text.size());
    } else {
        inet_ntop(AF_INET6, &v6, text.data(), text.size());
    }
    return text.data();
}

std::vector<std::string> listening_addresses(const std::string& host) {
    const std::string name = canonical(host);
    if (name.empty() || name == kAnyV6) return {std::string(kAnyV4), std::string(kAnyV6)};
    if (name == "localhost") return {"127.0.0.1", "::1"};
    return {name};
}

std::vector<std::string> connected_addresses(const std::string& host) {
    const std::string name = canonical(host);
    if (name == "localhost") return {"127.0.0.1", "::1"};
    if (name == kAnyV4) return {"127.0.0.1"};
    if (name == kAnyV6) return {"::1"};
    return {name};
}

bool is_loopback_v4(std::string_view address) {
    in_addr v4{};
    return address.starts_with("127.") && inet_pton(AF_INET, std::string(address).c_str(), &v4) == 1;
}

bool accepts(std::string_view listening, std::string_view connected) {
    if (listening == kAnyV4) return is_loopback_v4(connected);
    if (listening == kAnyV6) return connected == "::1";
    return listening == connected;
}

class Checks {
  public:
    explicit Checks(Findings& findings) : findings_(findings), settings_(findings.settings()) {}

    void run() {
        missing();
        listeners();
        loops();
        heads();
        deadlines();
        memory();
        connections();
    }

  private:
    void missing() {
        const bool lacks_listen = settings_.listen.empty() && are_sound({"listen"});
        const bool lacks_upstream =
            settings_.upstream.servers.empty() && are_sound({"upstream", "upstream.servers"});
        std::string message;
        if (lacks_listen && lacks_upstream) {
            message = "`listen` and `upstream` are missing";
        } else if (lacks_listen) {
            message = "`listen` is missing: weir has no address to listen on";
        } else if (lacks_upstream) {
            message = "`upstream` is missing: weir has no app to pass requests to";
        } else {
            return;
        }
        findings_.report(Severity::error, {std::move(message), std::string(kWayOut)});
    }

    void listeners() {
        if (!are_sound({"listen"})) return;
        const std::vector<Listen>& all = settings_.listen;
        for (size_t i = 1; i < all.size(); ++i) {
            const auto is_same = [&](const Listen& other) {
                return other.address == all[i].address &&
                       (other.address.is_unix() || other.address.port != 0);
            };
            if (std::none_of(all.begin(), all.begin() + static_cast<ptrdiff_t>(i), is_same)) continue;
            at_item("listen", i, Severity::error,
                    {fmt::format("`listen[{}]`: {} is given twice", i, quoted(to_string(all[i].address))),
                     "remove one"});
        }
    }

    void loops() {
        if (!are_sound({"listen", "upstream.servers"})) return;
        for (size_t i = 0; i < settings_.upstream.servers.size(); ++i) {
            const Endpoint& server = settings_.upstream.servers[i].address;
            const auto is_own = [&](const Listen& listen) { return reaches(server, listen.address); };
            const auto own = std::find_if(settings_.listen.begin(), settings_.listen.end(), is_own);
            if (own == settings_.listen.end()) continue;
            at_item("upstream.servers", i, Severity::error,
                    {fmt::format("{} is weir's own listener {}: requests would go round in a loop",
                                 quoted(to_string(server)), quoted(to_string(own->address))),
                     "name the address of the app"});
        }
    }

    void heads() {
        const Limits& limits = settings_.limits;
        if (are_sound({"limits.uri", "limits.header"}) && limits.uri_bytes > limits.header_bytes) {
            at_later("limits.uri", "limits.header", Severity::error,
                     {fmt::format("`limits.uri` ({}) is above `limits.header` ({}), which counts it in",
                                  format_size(limits.uri_bytes), format_size(limits.header_bytes)),
                      fmt::format("set `limits.uri` to at most {}", format_size(limits.header_bytes))});
        }
        constexpr size_t kUsualHead = 65536;
        if (are_sound({"limits.header"}) && limits.header_bytes > kUsualHead) {
            at("limits.header", Severity::warning,
               {"`limits.header` is above 64KiB: most apps refuse such a head, and each connection may hold "
                "one",
                {}});
        }
    }

    /// A default that a short total makes idle needs no warning: only what the operator set can be a mistake.
    void deadlines() {
        const Timeout& timeout = settings_.timeout;
        never_reached("timeout.connect", timeout.connect, timeout.total);
        if (timeout.stall) never_reached("timeout.stall", *timeout.stall, timeout.total);
    }

    void never_reached(std::string_view path, Duration value, Duration total) {
        if (!are_sound({path, "timeout.total"}) || !is_written(path) || value <= total) return;
        at(path, Severity::warning,
           {fmt::format("`{}` ({}) is above `timeout.total` ({}) and never reached", path,
                        format_duration(value), format_duration(total)),
            {}});
    }

    void memory() {
        buffer_fits("buffers.request", settings_.buffers.request_bytes);
        buffer_fits("buffers.response", settings_.buffers.response_bytes);
    }

    void buffer_fits(std::string_view path, size_t bytes) {
        if (!are_sound({path, "limits.memory"}) || bytes <= settings_.limits.memory_bytes) return;
        at_later(path, "limits.memory", Severity::warning,
                 {fmt::format("`{}` ({}) is above `limits.memory` ({}): one exchange could take it all", path,
                              format_size(bytes), format_size(settings_.limits.memory_bytes)),
                  {}});
    }

    void connections() {
        constexpr std::string_view kEach = "clients.max_connections_per_ip";
        const Clients& clients = settings_.clients;
        if (!is_written(kEach) || !are_sound({kEach, "clients.max_connections"})) return;
        if (clients.max_connections_per_ip <= clients.max_connections) return;
        at(kEach, Severity::warning,
           {fmt::format("`{}` ({}) is above `clients.max_connections` ({}) and never reached", kEach,
                        clients.max_connections_per_ip, clients.max_connections),
            {}});
    }

    [[nodiscard]] bool are_sound(std::initializer_list<std::string_view> paths) const {
        return findings_.are_sound(paths);
    }

    [[nodiscard]] bool is_written(std::string_view path) const { return findings_.is_written(Spot(path)); }

    void at(std::string_view path, Severity severity, Wrong wrong) {
        findings_.report(severity, Spot(path), std::move(wrong));
    }

    void at_item(std::string_view path, size_t index, Severity severity, Wrong wrong) {
        findings_.report(severity, Spot(path)[index], std::move(wrong));
    }

    /// Points at `path`, or at `other` where `path` has its default and so cannot be the mistake.
    void at_later(std::string_view path, std::string_view other, Severity severity, Wrong wrong) {
        at(is_written(path) ? path : other, severity, std::move(wrong));
    }

    Findings& findings_;
    const Settings& settings_;
};

}  // namespace

bool reaches(const Endpoint& server, const Endpoint& listen) {
    if (server.is_unix() || listen.is_unix()) return server.is_unix() && server.path == listen.path;
    if (listen.port == 0 || server.port != listen.port) return false;
    const std::vector<std::string> connected = connected_addresses(server.host);
    for (const std::string& listening : listening_addresses(listen.host)) {
        const auto accepts_one = [&](const std::string& address) { return accepts(listening, address); };
        if (std::any_of(connected.begin(), connected.end(), accepts_one)) return true;
    }
    return false;
}

void cross_check(Draft& draft, const Input& file) {
    Findings findings(draft, file);
    Checks(findings).run();
    check_listeners(findings);
    check_admin(findings);
    check_upstream(findings);
    check_limits(findings);
    check_answers(findings);
    check_routes(findings);
}

}  // namespace weir::config
