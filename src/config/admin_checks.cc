#include "config/admin_checks.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/cross_check.h"
#include "config/text.h"
#include "config/words.h"

namespace weir::config {
namespace {

constexpr std::string_view kAddress = "admin.address";
constexpr size_t kShortToken = 16;

/// Nobody on another machine can connect to it.
bool is_local(const Endpoint& address) {
    if (address.is_unix() || lower_case(address.host) == "localhost") return true;
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) return address.host.starts_with("127.");
    return inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/// RFC 6750, 2.1: `b64token`.
bool is_token(std::string_view text) {
    const size_t padding = std::min(text.find('='), text.size());
    return padding > 0 &&
           std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(padding),
                       [](char c) {
                           return is_letter(c) || is_digit(c) ||
                                  std::string_view("-._~+/").find(c) != std::string_view::npos;
                       }) &&
           text.find_first_not_of('=', padding) == std::string_view::npos;
}

/// Not at its place: the line would show it.
void check_token(Findings& findings, const std::string& token) {
    if (!is_token(token)) {
        findings.report(Severity::error,
                        {"`admin.token` is no Bearer token",
                         "it takes letters, digits and any of `-._~+/`; `openssl rand -hex 32` makes one"});
    } else if (token.size() < kShortToken) {
        findings.report(Severity::warning,
                        {fmt::format("`admin.token` has {} characters: it can be guessed", token.size()),
                         "`openssl rand -hex 32` makes a long one"});
    }
}

void check_openness(Findings& findings, const Admin& admin) {
    if (is_local(*admin.address)) return;
    const std::string address = quoted(to_string(*admin.address));
    if (admin.token.empty()) {
        findings.error(Spot(kAddress),
                       fmt::format("`admin.address`: {} can be reached from other machines, and there is no "
                                   "`admin.token`: anyone could stop weir",
                                   address),
                       "set `admin.token`, or listen on 127.0.0.1");
    } else {
        findings.warning(Spot(kAddress),
                         fmt::format("`admin.address`: {} is open to other machines, and the token goes over "
                                     "the network in plain text",
                                     address),
                         "listen on 127.0.0.1, or on an address of a network that you trust");
    }
}

/// The kernel would let only one of them have the address, or weir would be its own app.
void check_twins(Findings& findings, const Endpoint& address) {
    const Settings& settings = findings.settings();
    if (!findings.are_sound({"listen", "upstream.servers"})) return;
    const std::string_view written = settings.admin.is_address_own ? "" : " (the default)";
    const std::string shown = fmt::format("`admin.address`: {}{}", quoted(to_string(address)), written);
    const std::string way_out = "give another address, or `admin: ~`";
    const bool is_listened_on =
        std::any_of(settings.listen.begin(), settings.listen.end(), [&](const Listen& listen) {
            return reaches(address, listen.address) || reaches(listen.address, address);
        });
    if (is_listened_on) findings.error(Spot(kAddress), shown + " is an address of `listen` too", way_out);
    const bool is_app = std::any_of(settings.upstream.servers.begin(), settings.upstream.servers.end(),
                                    [&](const Server& server) { return reaches(server.address, address); });
    if (is_app) findings.error(Spot(kAddress), shown + " is the app's address", way_out);
}

}  // namespace

void check_admin(Findings& findings) {
    const Admin& admin = findings.settings().admin;
    if (!admin.address || !findings.are_sound({kAddress, "admin.token"})) return;
    if (!admin.token.empty()) check_token(findings, admin.token);
    check_openness(findings, admin);
    check_twins(findings, *admin.address);
}

}  // namespace weir::config
