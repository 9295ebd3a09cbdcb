#include "config/server_url.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

using Parsed = Result<ServerUrl, Wrong>;

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kSchemes = "only http://, https:// and unix: are supported";
constexpr std::string_view kWayOut = "write `http://host:port`, `https://host:port` or `unix:/path`";
constexpr size_t kMaxMessage = 300;

Failure<Wrong> not_a_server(std::string_view text, std::string_view why, std::string hint) {
    return fail(Wrong{fmt::format("{} {}", quoted(text), why), std::move(hint)});
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
    const auto same = [](char a, char b) { return a == b || (is_letter(a) && (a | 0x20) == b); };
    return text.size() >= scheme.size() &&
           std::equal(scheme.begin(), scheme.end(), text.begin(), [&](char b, char a) { return same(a, b); });
}

bool names_a_port(std::string_view authority) {
    const size_t bracket = authority.rfind(']');
    return authority.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
}

/// `text` is all of it, and begins with `scheme`.
Parsed parse_authority(std::string_view text, std::string_view scheme) {
    std::string_view authority = text.substr(scheme.size());
    const size_t path = authority.find_first_of("/?#");
    if (path != std::string_view::npos && authority.substr(path) != "/") {
        return not_a_server(
            text, "has a path, and paths are not rewritten: a request keeps its own",
            fmt::format("did you mean {}?", quoted(fmt::format("{}{}", scheme, authority.substr(0, path)))));
    }
    authority = authority.substr(0, path);
    if (authority.find('@') != std::string_view::npos) {
        return not_a_server(text, "has a user in front of the host, which is not supported", {});
    }
    const bool is_tls = scheme == kHttps;
    const std::string_view port = names_a_port(authority) ? "" : is_tls ? ":443" : ":80";
    Result<Endpoint> endpoint = parse_endpoint(fmt::format("{}{}", authority, port));
    if (!endpoint) {
        return not_a_server(text, fmt::format("is not a URL: {}", printable(endpoint.error(), kMaxMessage)),
                            std::string(kWayOut));
    }
    if (endpoint->is_unix() || endpoint->host.empty()) {
        return not_a_server(text, "names no host", "did you mean `http://127.0.0.1:5000`?");
    }
    if (endpoint->port == 0) return not_a_server(text, "has the port 0", "name the port the app listens on");
    return ServerUrl{std::move(endpoint.value()), is_tls};
}

Parsed parse_unix(std::string_view text) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.starts_with("//")) {
        const size_t name = path.find_first_not_of('/');
        return not_a_server(
            text, "has slashes behind `unix:` that belong to no path",
            name == std::string_view::npos
                ? "write `unix:/path`"
                : fmt::format("did you mean {}?", quoted(fmt::format("unix:/{}", path.substr(name)))));
    }
    Result<Endpoint> endpoint = parse_endpoint(text);
    if (endpoint) return ServerUrl{std::move(endpoint.value()), false};
    return not_a_server(text, fmt::format("is not an address: {}", printable(endpoint.error(), kMaxMessage)),
                        {});
}

}  // namespace

Parsed parse_server_url(std::string_view text) {
    if (starts_with_scheme(text, kHttp)) return parse_authority(text, kHttp);
    if (starts_with_scheme(text, kHttps)) return parse_authority(text, kHttps);
    if (text.starts_with(kUnix)) return parse_unix(text);
    if (text.find("://") != std::string_view::npos) {
        return not_a_server(text, fmt::format("has an unknown scheme: {}", kSchemes), {});
    }
    if (text.starts_with('/')) {
        return not_a_server(text, "has no scheme",
                            fmt::format("did you mean {}?", quoted(fmt::format("unix:{}", text))));
    }
    const bool is_port = text.find_first_not_of("0123456789") == std::string_view::npos;
    const std::string meant = fmt::format("http://{}{}", is_port || text.starts_with(':') ? "127.0.0.1" : "",
                                          is_port ? fmt::format(":{}", text) : std::string(text));
    const bool is_near = !text.empty() && parse_authority(meant, kHttp).has_value();
    return not_a_server(text, "has no scheme",
                        is_near ? fmt::format("did you mean {}?", quoted(meant)) : std::string(kWayOut));
}

}  // namespace weir::config
