#include "config/admin_checks.h"

#include <doctest/doctest.h>

#include "config/check_report.h"
#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

constexpr const char* kToken = "0123456789abcdef";

std::string with_token(const std::string& token) { return "admin: {token: \"" + token + "\"}\n"; }

}  // namespace

TEST_CASE("the admin address is on the loopback device unless the operator says otherwise") {
    const Admin implied = load_well(std::string()).settings.admin;
    CHECK(implied.address == Endpoint{"127.0.0.1", 9180, {}});
    CHECK_FALSE(implied.is_address_own);
    CHECK(implied.token.empty());
    const Admin own = load_well("admin: 127.0.0.1:9180\n").settings.admin;
    CHECK(own.address == implied.address);
    CHECK(own.is_address_own);
    CHECK_FALSE(load_well(with_token(kToken)).settings.admin.is_address_own);
    CHECK(load_well(with_token(kToken)).settings.admin.token == kToken);
}

TEST_CASE("the admin address can be turned off, however that is written") {
    for (const char* off : {"admin: ~\n", "admin:\n", "admin: {address: ~}\n"}) {
        CAPTURE(off);
        CHECK_FALSE(load_well(off).settings.admin.address.has_value());
        CHECK(value_of(load_well(off), "admin.address") == "~");
    }
    CHECK_FALSE(load_well(std::string(), {{"WEIR_ADMIN", "~"}}).settings.admin.address.has_value());
    CHECK(load_well("admin: ~\n", {{"WEIR_ADMIN_ADDRESS", ":7"}, {"WEIR_ADMIN_TOKEN", kToken}})
              .settings.admin.address.has_value());
    // Elsewhere an empty section still says nothing.
    CHECK(load_well("limits:\ntimeout:\n").settings.timeout.total == std::chrono::seconds(30));
}

TEST_CASE("an admin address that others can reach needs a token, and even then is a risk") {
    for (const char* local :
         {"127.0.0.1:1", "127.9.9.9:1", "\"[::1]:1\"", "localhost:1", "unix:/run/weir-admin.sock"}) {
        CAPTURE(local);
        CHECK(said_of(std::string("admin: ") + local + "\n").empty());
    }
    for (const char* open : {":1", "0.0.0.0:1", "192.0.2.7:1", "\"[::]:1\"", "\"[2001:db8::7]:1\""}) {
        CAPTURE(open);
        const std::string said = said_of(std::string("admin: ") + open + "\n");
        CHECK(said.starts_with("3:1 error: `admin.address`: "));
        CHECK(said.find("no `admin.token`") != std::string::npos);
        const std::string warned =
            said_of("admin: {token: " + std::string(kToken) + ", address: " + open + "}\n");
        CHECK(warned.find(" warning: `admin.address`: ") != std::string::npos);
        CHECK(warned.find("error") == std::string::npos);
    }
}

TEST_CASE("a token is fit for an Authorization field, and long enough not to be guessed") {
    for (const char* bad : {"two words", "with,comma", "=abc", "a=b", "f\u00fcnf"}) {
        CAPTURE(bad);
        const auto found = mistakes_in(with_token(bad));
        REQUIRE(found.size() == 1);
        CHECK(found[0].message == "`admin.token` is no Bearer token");
        CHECK(render(found[0]).find(bad) == std::string::npos);
    }
    CHECK(said_of(with_token("short")).find("can be guessed") != std::string::npos);
    CHECK(said_of(with_token("QWxhZGRpbjpvcGVuIHNlc2FtZQ==")).empty());
}

TEST_CASE("the admin address is neither the clients' nor the app's") {
    const auto said = [](const std::string& text) {
        std::string all;
        for (const Diagnostic& one : mistakes_in(sources(text))) all += one.message + "; " + one.hint;
        return all;
    };
    CHECK(said("listen: :9180\nupstream: http://a\n") ==
          "`admin.address`: `127.0.0.1:9180` (the default) is an address of `listen` too; give another "
          "address, or `admin: ~`");
    CHECK(said("listen: :80\nupstream: http://localhost:9180\n") ==
          "`admin.address`: `127.0.0.1:9180` (the default) is the app's address; give another address, or "
          "`admin: ~`");
    CHECK(said("listen: :80\nupstream: unix:/run/a\nadmin: unix:/run/a\n") ==
          "`admin.address`: `unix:/run/a` is the app's address; give another address, or `admin: ~`");
    CHECK(load(sources("listen: :9180\nupstream: http://a\nadmin: ~\n")).has_value());
    CHECK(load(sources("listen: 127.0.0.1:0\nupstream: http://a\nadmin: 127.0.0.1:0\n")).has_value());
}

TEST_CASE("no report shows the token") {
    const Loaded loaded = load_well(with_token(kToken));
    CHECK(value_of(loaded, "admin.token") == "\"***\"");
    CHECK(effective_config(loaded).find(kToken) == std::string::npos);
    CHECK(value_of(load_well(std::string()), "admin.token") == "~");
    CHECK(value_of(load_well("admin: {token: ~}\n"), "admin.token") == "~");
    const Loaded from_variable = load_well(std::string(), {{"WEIR_ADMIN_TOKEN", kToken}});
    CHECK(value_of(from_variable, "admin.token") == "\"***\"");
    CHECK(origin_of(from_variable, "admin.token") == "WEIR_ADMIN_TOKEN");
}
