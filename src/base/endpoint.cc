#include "base/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

namespace weir {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;  // the kernel's copy ends with a NUL
constexpr size_t kMaxHostBytes = 253;                                // RFC 1035 section 2.3.4, as text

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
           c == '_';
}

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_name_char);
}

bool is_ipv4(std::string_view text) {
    in_addr address{};
    return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

/// With or without a zone (RFC 4007), as in fe80::1%eth0.
bool is_ipv6(std::string_view text) {
    const size_t percent = text.find('%');
    if (percent != text.npos && !is_name(text.substr(percent + 1))) return false;
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(text.substr(0, percent)).c_str(), &address) == 1;
}

/// A name whose last label is a number would be read as an IPv4 address in one of its odd spellings (127.1).
bool looks_like_ipv4(std::string_view host) {
    const std::string_view last_label = host.substr(host.rfind('.') + 1);
    return !last_label.empty() && std::all_of(last_label.begin(), last_label.end(), is_digit);
}

Result<Endpoint> parse_unix(std::string_view path) {
    if (!path.starts_with('/')) {
        return fail(
            fmt::format("a UNIX socket needs an absolute path: write unix:/path, not \"unix:{}\"", path));
    }
    if (path.size() > kMaxPathBytes) {
        return fail(fmt::format("the path of a UNIX socket has at most {} bytes, this one has {}",
                                kMaxPathBytes, path.size()));
    }
    return Endpoint{.host = {}, .port = 0, .path = std::string(path)};
}

Result<uint16_t> parse_port(std::string_view text) {
    uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) {
        return fail(fmt::format("the port must be a number from 0 to 65535, not \"{}\"", text));
    }
    return port;
}

/// `written` is the host as it stands in the text, brackets included, for the message.
Result<Endpoint> with_port(std::string_view host, std::string_view written, std::string_view port_text) {
    if (port_text.empty()) return fail(fmt::format("the port is missing: write {}:8080", written));
    const Result<uint16_t> port = parse_port(port_text);
    if (!port) return fail(port.error());
    return Endpoint{.host = std::string(host), .port = *port, .path = {}};
}

Result<Endpoint> parse_bracketed(std::string_view text) {
    const size_t close = text.find(']');
    if (close == text.npos) return fail("the closing bracket is missing: write [v6]:port, as in [::1]:8080");
    const std::string_view host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!is_ipv6(host)) {
        return fail(
            fmt::format("brackets enclose an IPv6 address, as in [::1]:8080, and \"{}\" is none", host));
    }
    if (!rest.empty() && rest.front() != ':') {
        return fail(fmt::format("a colon and the port must follow the bracket, not \"{}\"", rest));
    }
    return with_port(host, text.substr(0, close + 1), rest.empty() ? rest : rest.substr(1));
}

/// Empty when `host` is a name or an IPv4 address; otherwise what is wrong with it.
std::string host_error(std::string_view host) {
    if (host == "*") return "to listen on every address write :port, without the \"*\"";
    if (!is_name(host)) {
        return fmt::format("a host consists of letters, digits, \"-\", \".\" and \"_\", and \"{}\" does not",
                           host);
    }
    if (host.size() > kMaxHostBytes) {
        return fmt::format("a host name has at most {} bytes, this one has {}", kMaxHostBytes, host.size());
    }
    if (looks_like_ipv4(host) && !is_ipv4(host)) {
        return fmt::format("\"{}\" is not an IPv4 address: write four numbers from 0 to 255, as in 127.0.0.1",
                           host);
    }
    return {};
}

Result<Endpoint> parse_host_and_port(std::string_view text) {
    if (text.find("://") != text.npos) return fail("an address has no scheme: write host:port alone");
    if (is_ipv6(text) || is_ipv6(text.substr(0, text.rfind(':')))) {
        return fail("an IPv6 address needs brackets: write [v6]:port, as in [::1]:8080");
    }
    const size_t colon = text.find(':');
    if (colon == text.npos && std::all_of(text.begin(), text.end(), is_digit)) {
        return fail(fmt::format("a port alone needs a colon: write :{}", text));
    }
    const std::string_view host = text.substr(0, colon);
    if (!host.empty()) {
        if (std::string error = host_error(host); !error.empty()) return fail(std::move(error));
    }
    return with_port(host, host, colon == text.npos ? std::string_view() : text.substr(colon + 1));
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
    if (text.empty()) return fail("the address is empty: write host:port, [v6]:port, :port or unix:/path");
    if (text.front() == ' ' || text.back() == ' ' || std::any_of(text.begin(), text.end(), is_control)) {
        return fail("an address has no space before or after it and no control character in it");
    }
    if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
    if (text.front() == '[') return parse_bracketed(text);
    return parse_host_and_port(text);
}

std::string to_string(const Endpoint& endpoint) {
    if (endpoint.is_unix()) return fmt::format("{}{}", kUnixPrefix, endpoint.path);
    const bool is_v6 = endpoint.host.find(':') != std::string::npos;
    return is_v6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
                 : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

}  // namespace weir
