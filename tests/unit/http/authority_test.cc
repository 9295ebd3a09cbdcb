#include "http/authority.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <string>

#include "random_source.h"

using namespace weir::http;

TEST_CASE("an authority is a host and maybe a port") {
    for (const char* sound :
         {"a", "a.example.", "xn--bcher-kva.example", "192.0.2.1", "192.0.2.1:0", "[::]", "[::1]:80",
          "[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:192.0.2.1]", "[::ffff:1.2.3.4]", "a_b", "a%41"}) {
        CAPTURE(sound);
        CHECK(is_valid_authority(sound));
    }
    for (const char* bad : {"",
                            ":",
                            ":1",
                            "a:",
                            "a:1:2",
                            "a:123456",
                            "a:65536",
                            "a: 1",
                            "[",
                            "]",
                            "[]",
                            "[::",
                            "[::1]]",
                            "[::1]:",
                            "[::1]80",
                            "::1",
                            "[::1%eth0]",
                            "[1:2:3:4:5:6:7]",
                            "[1:2:3:4:5:6:7:8::]",
                            "[::1.2.3.256]",
                            "[::01.2.3.4]",
                            "[:1::]",
                            "a@b",
                            "a%4",
                            "a%4x",
                            "a/b",
                            "a\\b"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_valid_authority(bad));
    }
}

TEST_CASE("an address in brackets is accepted exactly where the C library accepts it") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 100000; ++round) {
        std::string address =
            random.one_in(2) ? random.text(12, "::::01af.") : random.mutated("1:2:3::5:6:192.0.2.1");
        if (address.find('\0') != std::string::npos) continue;
        CAPTURE(address);
        in6_addr parsed{};
        REQUIRE(is_valid_authority("[" + address + "]") ==
                (inet_pton(AF_INET6, address.c_str(), &parsed) == 1));
    }
}

TEST_CASE("a host that could be known is told from what is merely allowed") {
    for (const auto& sample :
         std::vector<std::pair<const char*, const char*>>{{"app.test", "app.test"},
                                                          {"APP-1_a.test:8080", "APP-1_a.test"},
                                                          {"192.0.2.7:80", "192.0.2.7"},
                                                          {"[2001:db8::7]:80", "[2001:db8::7]"},
                                                          {"[::1]", "[::1]"},
                                                          {"", ""},
                                                          {"a b", ""},
                                                          {"a@b", ""},
                                                          {"a,b", ""},
                                                          {"a!b", ""},
                                                          {"a'b", ""},
                                                          {"a~b", ""},
                                                          {"a%41", ""},
                                                          {"a:b", ""},
                                                          {"a:1:2", ""},
                                                          {"[::1", ""},
                                                          {"[v1.a]", ""}}) {
        const char* const authority = sample.first;
        CAPTURE(authority);
        CHECK(plain_host_of(authority) == sample.second);
    }
}
