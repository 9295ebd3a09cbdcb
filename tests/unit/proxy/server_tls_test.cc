#include "proxy/server_tls.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace weir::proxy {

TEST_CASE("each fault is described by a clause of its own that blames the app") {
    auto context = net::TlsClientContext::load({.ca = {}, .verify = false});
    REQUIRE(context.has_value());
    ServerTls tls(std::make_shared<net::TlsClientContext>(std::move(*context)), "127.0.0.1:8443", "app.test");
    using Kind = net::TlsFault::Kind;
    std::set<std::string> seen;
    for (Kind kind : {Kind::untrusted, Kind::other_name, Kind::expired, Kind::not_yet_valid, Kind::not_tls,
                      Kind::too_old, Kind::refused, Kind::ended, Kind::broken}) {
        const std::string text = tls.describe({.kind = kind, .cause = "some cause"});
        CHECK(text.find("the app") != std::string::npos);
        CHECK(seen.insert(text).second);
    }
    CHECK(tls.describe({}).empty());
    CHECK(tls.describe({.kind = Kind::other_name, .cause = {}}).ends_with("another name than app.test"));
    CHECK(tls.describe({.kind = Kind::untrusted, .cause = "self-signed certificate"}) ==
          "the app's certificate is not trusted: self-signed certificate");
}

}  // namespace weir::proxy
