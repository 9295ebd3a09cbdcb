#include "app/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "app/approach.h"
#include "config/quota.h"
#include "config/units.h"
#include "http/cors.h"
#include "http/head_parser.h"
#include "http/request_timeout.h"
#include "net/socket.h"
#include "proxy/admission.h"
#include "proxy/identity.h"
#include "proxy/plan.h"
#include "proxy/public_answers.h"
#include "proxy/routing.h"
#include "proxy/rules.h"
#include "proxy/turned_away.h"

namespace weir::app {

namespace {

constexpr const char* kDefaultIp = "127.0.0.1";
constexpr const char* kDefaultHost = "Host: localhost";

bool is_host(std::string_view header) {
    return http::equals_ignoring_case(header.substr(0, header.find(':')), "host");
}

/// The bytes that a client would send.
Result<std::string> head_of(const cli::Question& question) {
    const bool has_version = question.request.find(" HTTP/") != std::string::npos;
    std::vector<std::string> lines{question.request + (has_version ? "" : " HTTP/1.1")};
    if (std::none_of(question.headers.begin(), question.headers.end(), is_host))
        lines.emplace_back(kDefaultHost);
    lines.insert(lines.end(), question.headers.begin(), question.headers.end());
    std::string head;
    for (const std::string& line : lines) {
        if (line.empty() || line.find_first_of("\r\n") != std::string::npos)
            return fail(std::string("the request and each --header are one line"));
        head += line + "\r\n";
    }
    return head + "\r\n";
}

/// "1st", "22nd", "113th".
std::string ordinal(uint64_t number) {
    const bool is_teen = number / 10 % 10 == 1;
    const char* const ending = is_teen            ? "th"
                               : number % 10 == 1 ? "st"
                               : number % 10 == 2 ? "nd"
                               : number % 10 == 3 ? "rd"
                                                  : "th";
    return fmt::format("{}{}", number, ending);
}

template <class Items, class Text>
std::string joined(const Items& items, Text text) {
    std::vector<std::string> texts;
    for (const auto& item : items) texts.push_back(text(item));
    return fmt::format("{}", fmt::join(texts, ", "));
}

class Explainer {
  public:
    Explainer(const config::Settings& settings, const net::IpAddress& client)
        : settings_(settings), rules_(settings, HashSeed::random()), client_(client) {}

    Result<Explanation> explain(const cli::Question& question, const std::string& bytes, Time now) {
        http::RequestHead head;
        const auto fault = http::parse_request_head(bytes, proxy::head_limits(settings_.limits), head);
        const auto way = approach_of(settings_, question, head.authority);
        if (!way) return fail(way.error());
        say("request", bytes.substr(0, bytes.find('\r')));
        for (const auto& [label, text] : way->lines) say(label, text);
        if (way->closed) return closed(*way->closed);
        if (fault)
            return refused({.reason = fault->reason, .detail = fault->detail, .rule = {}, .allow = {}});
        identify(head, way->is_tls ? "https" : "http", now);
        if (auto answered = answer_astray(*way, head)) return std::move(*answered);
        return explain_served(head, now);
    }

  private:
    Explanation explain_served(const http::RequestHead& head, Time now) {
        if (auto answered = answer_without_app(head)) return std::move(*answered);
        const proxy::Routing routing = proxy::route_request(rules_, head);
        const proxy::Scope& scope = *routing.scope;
        const policy::RequestView view = proxy::view_of(scope, head, client_);
        say("client", key_text(proxy::key_of(settings_.clients.key, {}), view) + said_by_);
        say("route", route_text(scope));
        if (routing.refusal) return refused(*routing.refusal);
        const Duration patience = http::patience_of(head);
        if (patience < proxy::kLeastTotal)
            return refused({.reason = http::Reason::deadline,
                            .detail = std::string(proxy::kNoTimeLeft),
                            .rule = {},
                            .allow = {}});
        say("target", routing.target.empty() ? "as it came" : "rewritten to " + routing.target);
        say("body", fmt::format("at most {}", config::format_size(scope.body_bytes)));
        // Rates that have seen no request admit the first one: the configuration takes no cost above a limit.
        (void)proxy::ask_rates(scope, view, rules_.client_of(view), now);
        say_rates(scope, view, now);
        say_caps(scope.route);
        say("deadline", deadline_text(scope.total, patience));
        say("app", joined(settings_.upstream.servers,
                          [](const config::Server& server) { return to_string(server.address); }));
        say("result", "the request reaches the app");
        return {.text = std::move(text_), .is_refused = false};
    }

    /// As what serves requests does, whose word for the client is believed.
    void identify(const http::RequestHead& head, std::string_view scheme, Time now) {
        proxy::Identity::AddressText peer_text;
        proxy::Identity::AddressText text;
        proxy::ClientFacts facts{
            .address = {peer_text, client_.write(peer_text)}, .ip = client_, .scheme = scheme};
        const std::string peer(facts.address);
        proxy::Identity(settings_.clients).settle(head, text, facts, now);
        client_ = facts.ip;
        scheme_ = facts.scheme;
        if (!facts.proxy.empty()) said_by_ = fmt::format(", as the trusted proxy {} says", peer);
    }

    std::optional<Explanation> answer_astray(const Approach& way, const http::RequestHead& head) {
        const auto found = proxy::turned_away({.entrance = way.entrance,
                                               .is_tls = way.is_tls,
                                               .is_admitted = way.is_admitted,
                                               .scheme = scheme_},
                                              head);
        if (!found) return std::nullopt;
        if (found->location.empty())
            return refused(
                {.reason = found->reason, .detail = std::string(found->detail), .rule = {}, .allow = {}});
        say("result", "weir answers by itself with 308: the client is sent to " + found->location);
        return Explanation{.text = std::move(text_), .is_refused = false};
    }

    /// Of what no route, rate or app is asked about; nothing where they are.
    std::optional<Explanation> answer_without_app(const http::RequestHead& head) {
        const http::Cors cors(proxy::cors_policy_of(settings_.cors));
        if (!cors.is_off() && cors.read(head).kind == http::CorsRequest::Kind::preflight) {
            say("result", "weir answers by itself with 204: a preflight, by the `cors` of the configuration");
            return Explanation{.text = std::move(text_), .is_refused = false};
        }
        if (!proxy::PublicAnswers(settings_.public_paths).has(head.path)) return std::nullopt;
        if (head.method != http::Method::get && head.method != http::Method::head)
            return refused({.reason = http::Reason::method_not_allowed,
                            .detail = std::string(proxy::PublicAnswers::kOnlyRead),
                            .rule = {},
                            .allow = "GET, HEAD"});
        say("result", "weir answers by itself: the path is one of `public`");
        return Explanation{.text = std::move(text_), .is_refused = false};
    }

    static std::string deadline_text(Duration total, Duration patience) {
        if (patience >= total) return fmt::format("{} for all of it", config::format_duration(total));
        return fmt::format("{} for all of it, as the client says; else {}", config::format_duration(patience),
                           config::format_duration(total));
    }

    void say(std::string_view label, std::string_view text) {
        text_ += fmt::format("{:<13}{}\n", label, text);
    }

    /// No answer tells of it: the cause is a label of the metrics.
    Explanation closed(const std::string& cause) {
        say("result", "closed before a request is read: " + cause);
        return {.text = std::move(text_), .is_refused = true};
    }

    Explanation refused(const proxy::Refusal& refusal) {
        const http::ReasonText& reason = http::text_of(refusal.reason);
        std::string text = fmt::format("refused with {} {}", reason.status, reason.slug);
        if (!refusal.detail.empty()) text += ": " + refusal.detail;
        if (!refusal.rule.empty()) text += fmt::format("; rule {}", refusal.rule);
        if (!refusal.allow.empty()) text += fmt::format("; Allow: {}", refusal.allow);
        say("result", text);
        return {.text = std::move(text_), .is_refused = true};
    }

    [[nodiscard]] std::string ip_text() const {
        const unsigned prefix = settings_.clients.ipv6_prefix_bits;
        const net::IpAddress network{policy::network_of(client_.bytes, prefix)};
        std::string text(net::IpAddress::kMaxText, '\0');
        text.resize(network.write(text.data()));
        return client_.is_v4() ? "ip " + text : fmt::format("ip {}/{}", text, prefix);
    }

    /// A header's value may be a secret: that it is there is all that is said.
    [[nodiscard]] std::string part_text(const policy::KeyPart& part, const policy::RequestView& view) const {
        const std::string what = policy::format_key({part});
        switch (part.kind) {
            case policy::KeyPart::Kind::ip: return ip_text();
            case policy::KeyPart::Kind::route:
                return view.route == 0 ? "no route" : "route " + settings_.routes[view.route - 1].name;
            case policy::KeyPart::Kind::header:
            case policy::KeyPart::Kind::cookie: break;
        }
        if (policy::is_named(part, view)) return what + " (given, not shown)";
        return fmt::format("{} (for want of one {})", ip_text(), what);
    }

    [[nodiscard]] std::string key_text(const policy::KeySpec& spec, const policy::RequestView& view) const {
        if (spec.empty()) return "all";
        return joined(spec, [&](const policy::KeyPart& part) { return part_text(part, view); });
    }

    [[nodiscard]] std::string route_text(const proxy::Scope& scope) const {
        if (scope.route != nullptr)
            return fmt::format("{} (routes[{}])", scope.route->name, scope.number - 1);
        return settings_.routes.empty() ? "there are none: the global limits hold"
                                        : "none matches: the global limits hold";
    }

    void say_rates(const proxy::Scope& scope, const policy::RequestView& view, Time now) {
        const bool is_exempt = scope.route != nullptr && scope.route->limits.is_exempt;
        if (scope.enforced.empty() && scope.shadowed.empty())
            return say("rates", is_exempt ? "none: the route is exempt" : "none");
        say("rates", "all that are enforced are charged, or none is");
        for (proxy::RateGate* gate : scope.enforced) say_rate(*gate, view, now);
        for (proxy::RateGate* gate : scope.shadowed) say_rate(*gate, view, now);
    }

    /// Of a rate that has been asked about this request.
    void say_rate(proxy::RateGate& gate, const policy::RequestView& view, Time now) {
        const policy::RateRule::Limit& limit = gate.rule->limit();
        const policy::RateAsk ask{.rule = gate.rule.get(), .key = gate.key(view), .cost = gate.cost};
        policy::RateHold hold({&ask, 1}, now);
        const policy::Quota left = hold.quota(0);
        std::string text = config::format_quota({limit.rate.count, limit.rate.window});
        if (limit.burst) text += fmt::format(", burst {}", *limit.burst);
        if (gate.cost != 1) text += fmt::format(", cost {}", gate.cost);
        const uint64_t first_refused = uint64_t{left.remaining} / gate.cost + 2;
        text += fmt::format(", key {}: {} left of {}; the {} {} ", key_text(gate.key.spec(), view),
                            left.remaining, left.limit, ordinal(first_refused),
                            limit.burst ? "at once" : "within " + config::format_duration(limit.rate.window));
        if (gate.mode == config::Mode::shadow) {
            text += "passes, and the log says that it would be refused (shadow)";
        } else {
            text += fmt::format("is refused with 429 rate_limited, rule {}", gate.name);
        }
        say("", fmt::format("{}: {}", gate.name, text));
    }

    /// The route's own first, as it is asked first.
    void say_caps(const config::Route* route) {
        std::vector<std::string> caps;
        if (route != nullptr) {
            const std::string& group = route->limits.group;
            add_cap(caps, group.empty() ? "route " + route->name : "group " + group, route->limits);
        }
        add_cap(caps, "all requests", settings_.limits);
        if (caps.empty()) return say("concurrency", "no cap");
        for (const std::string& cap : caps) say(&cap == &caps.front() ? "concurrency" : "", cap);
    }

    static void add_cap(std::vector<std::string>& caps, const std::string& owner,
                        const config::ScopeLimits& limits) {
        const bool is_capped = limits.concurrency || limits.per_client_concurrency;
        if (!is_capped || limits.mode == config::Mode::off) return;
        const auto bound = [](const std::optional<size_t>& count) {
            return count ? std::to_string(*count) : std::string("~");
        };
        caps.push_back(fmt::format(
            "{}: {} at once, queue {} for {}, per client {}{}", owner, bound(limits.concurrency),
            limits.queue.size.value, config::format_duration(limits.queue.wait),
            bound(limits.per_client_concurrency), limits.mode == config::Mode::shadow ? " (shadow)" : ""));
    }

    const config::Settings& settings_;
    proxy::Rules rules_;
    net::IpAddress client_;    ///< the peer, until identify()
    std::string_view scheme_;  ///< by which it came, as far as that is believed
    std::string said_by_;      ///< who says that it is the client
    std::string text_;
};

}  // namespace

Result<Explanation> explain_request(const config::Settings& settings, const cli::Question& question,
                                    Time now) {
    auto client = parse_ip("--ip", question.ip.empty() ? kDefaultIp : question.ip);
    if (!client) return fail(client.error());
    auto head = head_of(question);
    if (!head) return fail(head.error());
    return Explainer(settings, *client).explain(question, *head, now);
}

}  // namespace weir::app
