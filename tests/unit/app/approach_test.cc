#include "app/approach.h"

#include <doctest/doctest.h>

#include <string>

#include "loading.h"
#include "net/tls_pair.h"

namespace weir::app {

namespace {

/// A plain address, one that sends on to https, two of TLS; the second asks some for a certificate.
struct Addresses : net::Authority {
    config::Settings settings = config::load_well("").settings;

    Addresses() {
        settings.listen.assign(4, {});
        for (uint16_t i = 0; i < 4; ++i)
            settings.listen[i].address = {
                .host = "127.0.0.1", .port = static_cast<uint16_t>(81 + i), .path = {}};
        settings.listen[1].redirect_https = 443;
        settings.listen[2].tls = {certificate("open", "DNS:app.test")};
        settings.listen[3].tls = {certificate("first", "DNS:app.test"),
                                  certificate("closed", "DNS:closed.test")};
        settings.listen[3].tls[1].client_ca = file;
        settings.listen[3].tls[1].min_version = config::TlsVersion::tls13;
    }
    config::Certificate certificate(const std::string& name, const std::string& names) {
        const auto made = net::make_identity(name, {.names = names, .issuer = &ca});
        const std::string stem = folder.file(name.c_str());
        net::write_pem(stem + ".pem", made);
        net::write_key(stem + ".key", made);
        return {.certificate = stem + ".pem", .key = stem + ".key", .client_ca = {}};
    }
    Approach ask(const cli::Question& question, const std::string& host = "app.test") {
        auto found = approach_of(settings, question, host);
        REQUIRE(found.has_value());
        return std::move(*found);
    }
    std::string error(const cli::Question& question) {
        const auto found = approach_of(settings, question, "app.test");
        REQUIRE_FALSE(found.has_value());
        return found.error();
    }
};

cli::Question to(const std::string& address) {
    return {.request = "GET /", .ip = {}, .headers = {}, .address = address};
}

std::string said(const Approach& way, std::string_view label) {
    for (const auto& [each, text] : way.lines)
        if (each == label) return text;
    return {};
}

}  // namespace

TEST_CASE("the address is the one that is named, else the first of the URL's kind, else the first") {
    Addresses addresses;
    const auto at = [&](const std::string& request, const std::string& address = {}) {
        cli::Question question = to(address);
        question.request = request;
        return said(addresses.ask(question), "address");
    };
    CHECK(at("GET /") == "127.0.0.1:81, in plain HTTP");
    CHECK(at("GET http://app.test/") == "127.0.0.1:81, in plain HTTP");
    CHECK(at("GET https://app.test/") == "127.0.0.1:83, over TLS");
    CHECK(at("GET HTTPS://app.test/") == "127.0.0.1:83, over TLS");
    CHECK(at("GET httpsx://app.test/") == "127.0.0.1:81, in plain HTTP");
    CHECK(at("GET") == "127.0.0.1:81, in plain HTTP");
    CHECK(at("GET /", "127.0.0.1:84") == "127.0.0.1:84, over TLS");
    CHECK(at("GET http://app.test/", "127.0.0.1:84") == "127.0.0.1:84, in plain HTTP, where TLS is due");
    addresses.settings.listen.resize(1);
    CHECK(at("GET https://app.test/") == "127.0.0.1:81, in plain HTTP");
}

TEST_CASE("the certificate is the one that a client of this host would meet") {
    Addresses addresses;
    const auto tls = [&](const std::string& host) {
        cli::Question question = to("127.0.0.1:84");
        question.shows_certificate = true;
        return said(addresses.ask(question, host), "TLS");
    };
    const std::string first = addresses.folder.file("first.pem");
    CHECK(tls("app.test") == "app.test: " + first);
    CHECK(tls("app.test:8443") == "app.test: " + first);
    CHECK(tls("other.test") == "other.test: " + first);
    CHECK(tls("192.0.2.1:443") == "no name is asked for: " + first);
    CHECK(tls("[::1]:443") == "no name is asked for: " + first);
    CHECK(tls("") == "no name is asked for: " + first);
    CHECK(tls("closed.test") == "closed.test: " + addresses.folder.file("closed.pem") +
                                    ", TLS 1.3 alone, and a client certificate that leads to " +
                                    addresses.file);
}

TEST_CASE("without a certificate a client that has to show one gets no answer") {
    Addresses addresses;
    cli::Question question = to("127.0.0.1:84");
    CHECK_FALSE(addresses.ask(question, "app.test").closed);
    CHECK(addresses.ask(question, "closed.test").closed ==
          "TLS handshake no_certificate: the client has to show a certificate");
    question.shows_certificate = true;
    CHECK_FALSE(addresses.ask(question, "closed.test").closed);
    question.shows_certificate = false;
    question.request = "GET http://closed.test/";
    CHECK_FALSE(addresses.ask(question, "closed.test").closed);
}

TEST_CASE("a host is held against the name that TLS was asked for") {
    Addresses addresses;
    cli::Question question = to("127.0.0.1:84");
    CHECK(addresses.ask(question, "app.test").is_admitted);
    question.server_name = "app.test";
    CHECK_FALSE(addresses.ask(question, "closed.test").is_admitted);
    question.server_name = "";
    CHECK_FALSE(addresses.ask(question, "closed.test").is_admitted);
    question.shows_certificate = true;
    question.server_name = "closed.test";
    CHECK_FALSE(addresses.ask(question, "app.test").is_admitted);
    CHECK(addresses.ask(question, "closed.test").is_admitted);
}

TEST_CASE("a PROXY header is believed of those that are trusted") {
    Addresses addresses;
    addresses.settings.listen[0].proxy_protocol = true;
    addresses.settings.clients.trusted_proxies = {
        {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 9}, .prefix_bits = 128}};
    cli::Question question = to({});
    CHECK_FALSE(addresses.ask(question).closed);
    question.balancer = "10.0.0.9";
    CHECK(said(addresses.ask(question), "PROXY header") == "of 10.0.0.9");
    CHECK_FALSE(addresses.ask(question).closed);
    question.balancer = "10.0.0.8";
    CHECK(addresses.ask(question).closed ==
          "PROXY header untrusted: clients.trusted_proxies does not name the peer");
    question.balancer = "nobody";
    CHECK(addresses.error(question) == "--balancer needs an IPv4 or IPv6 address, not `nobody`");
}

TEST_CASE("options that say nothing of the address are no question") {
    Addresses addresses;
    CHECK(addresses.error(to("127.0.0.1:9")) ==
          "--at 127.0.0.1:9 is not in `listen`, which has 127.0.0.1:81, 127.0.0.1:82, 127.0.0.1:83, "
          "127.0.0.1:84");
    CHECK(addresses.error(to("nowhere")).starts_with("--at: "));
    cli::Question question = to({});
    question.server_name = "a";
    CHECK(addresses.error(question).starts_with("--server-name is for an address with `tls`"));
    question = to({});
    question.shows_certificate = true;
    CHECK(addresses.error(question).starts_with("--client-certificate is for an address with `tls`"));
    question = to("127.0.0.1:84");
    question.balancer = "::1";
    CHECK(addresses.error(question) ==
          "--balancer is for an address with `proxy_protocol`, which 127.0.0.1:84 has not");
}

TEST_CASE("certificates that cannot be read leave the rest to be told") {
    Addresses addresses;
    addresses.settings.listen[2].tls[0].key = "/nowhere.key";
    const Approach way = addresses.ask(to("127.0.0.1:83"));
    CHECK(said(way, "TLS") ==
          "what it asks for is not known here: TLS at 127.0.0.1:83: cannot read `/nowhere.key`: No such file "
          "or "
          "directory");
    CHECK_FALSE(way.closed);
    CHECK(way.is_admitted);
    CHECK(way.entrance.tls != nullptr);
}

}  // namespace weir::app
