#include "config/listen_checks.h"

#include <doctest/doctest.h>

#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

/// What is said of one listening address; `more` stands on line 2, from column 5.
std::string said_of_listener(const std::string& more, const std::string& below = {}) {
    auto result = load(sources("listen:\n  - {" + more + "}\nupstream: http://127.0.0.1:5000\n" + below));
    std::string text;
    for (const Diagnostic& one : result ? result->warnings : result.error()) {
        text += std::to_string(one.line) + ":" + std::to_string(one.column) +
                (one.severity == Severity::error ? " error: " : " warning: ") + one.message + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("a listener's TLS is one certificate, or a list of them") {
    const Loaded one = load_well(
        sources("listen: {address: :8443, tls: {certificate: a.pem, key: a.key, min_version: 1.3}}\n"
                "upstream: http://127.0.0.1:5000\n"));
    REQUIRE(one.settings.listen[0].tls.size() == 1);
    CHECK(one.settings.listen[0].tls[0].certificate == "a.pem");
    CHECK(one.settings.listen[0].tls[0].min_version == TlsVersion::tls13);
    const Loaded two = load_well(sources(
        "listen:\n"
        "  - address: :8443\n"
        "    tls: [{certificate: a.pem, key: a.key}, {certificate: b.pem, key: b.key, client_ca: ca.pem, "
        "min_version: \"1.2\"}]\n"
        "  - {address: :8080, redirect_https: 443}\n"
        "  - {address: :8081, tls: ~}\n"
        "upstream: http://127.0.0.1:5000\n"));
    const auto& listen = two.settings.listen;
    REQUIRE(listen[0].tls.size() == 2);
    CHECK(listen[0].tls[1].client_ca == "ca.pem");
    CHECK(listen[0].tls[0].client_ca.empty());
    CHECK(listen[0].tls[1].min_version == TlsVersion::tls12);
    CHECK(listen[1].redirect_https == 443);
    CHECK(listen[1].tls.empty());
    CHECK_FALSE(listen[0].redirect_https);
    CHECK(listen[2].tls.empty());
}

TEST_CASE("mistakes in a certificate are shown at their place") {
    CHECK(said_of_listener("address: :8443, tls: {certificate: a.pem}") ==
          "2:27 error: `listen[0].tls` has no `key`\n");
    CHECK(said_of_listener("address: :8443, tls: {certificate: a.pem, key: a.key, min_version: 1.1}") ==
          "2:73 error: `listen[0].tls.min_version`: `1.1` is not one of 1.2, 1.3\n");
    CHECK(said_of_listener("address: :8443, tls: []") == "2:22 error: `listen[0].tls` has no value\n");
    CHECK(said_of_listener("address: :8443, redirect_https: true") ==
          "2:38 error: `listen[0].redirect_https`: `true` is not a whole number\n");
}

TEST_CASE("a PROXY header needs somebody to believe") {
    CHECK(said_of_listener("address: :8443, proxy_protocol: true") ==
          "2:22 error: `listen[0].proxy_protocol` needs `clients.trusted_proxies`: the PROXY header of "
          "anybody else is not believed, and the connection closed\n");
    CHECK(said_of_listener("address: :8443, proxy_protocol: true", "clients: {trusted_proxies: 10.0.0.0/8}\n")
              .empty());
    CHECK(said_of_listener("address: unix:/run/weir.sock, proxy_protocol: true").starts_with("2:36 error: "));
    CHECK(said_of_listener("address: :8443, proxy_protocol: false").empty());
}

TEST_CASE("an address that speaks https does not send clients to it") {
    CHECK(said_of_listener("address: :8443, redirect_https: 443, tls: {certificate: a, key: b}") ==
          "2:22 error: `listen[0].redirect_https` sends clients to https, which they speak here already\n");
}

TEST_CASE("a certificate is given once at one address") {
    CHECK(said_of_listener("address: :8443, tls: [{certificate: a, key: b}, {certificate: a, key: c}]") ==
          "2:55 error: `listen[0].tls[1].certificate`: `a` is given twice\n");
    CHECK(said_of_listener("address: :8443, tls: [{certificate: a, key: b}, {certificate: c, key: b}]")
              .empty());
}
