#include "proxy/secret_names.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <random>
#include <string>
#include <string_view>

namespace weir::proxy {

namespace {

/// The value that is found, or "(none)".
std::string secret_in(const std::string& address) {
    auto secret = find_secret(address);
    return secret ? address.substr(secret->begin, secret->end - secret->begin) : "(none)";
}

/// The rule as it reads, slowly.
bool is_telling_plainly(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return c == '-' ? '_' : static_cast<char>(std::tolower(c)); });
    for (const char* part : {"access_key", "accesskey", "api_key", "apikey", "auth", "credential", "jwt",
                             "passphrase", "passwd", "password", "secret", "session", "signature", "token"})
        if (name.find(part) != std::string::npos) return true;
    for (const char* whole : {"code", "key", "otp", "pass", "pin", "pwd", "sid", "sig"})
        if (name == whole) return true;
    return false;
}

}  // namespace

TEST_CASE("the value of the first telling parameter is found, up to the next &") {
    CHECK(secret_in("/x?page=2&token=abc&size=3") == "abc");
    CHECK(secret_in("/x?token=abc") == "abc");
    CHECK(secret_in("/x?token=a=b;c#d?e&f=g") == "a=b;c#d?e");
    CHECK(secret_in("/x?token=&page=2").empty());
    CHECK(secret_in("/x?token=").empty());
    CHECK(secret_in("/x?sid=first&token=second") == "first");
}

TEST_CASE("a name begins behind & ; ? or #") {
    for (std::string_view address :
         {"/x?token=abc", "/x?a=1&token=abc", "/x?a=1;token=abc", "/x#token=abc", "/x?next=/y?token=abc"})
        CHECK_MESSAGE(secret_in(std::string(address)) == "abc", address);
}

TEST_CASE("nothing is found where no name is telling") {
    for (std::string_view address :
         {"", "/", "/x?", "/x?token", "/x?=token", "/x?a=token", "token=abc", "/token/x?a=b", "/x?&&==&",
          "/x?country_code=de&monkey=1&pinned=2&design=3&toke=4&tokn=5"})
        CHECK_MESSAGE(secret_in(std::string(address)) == "(none)", address);
}

TEST_CASE("letter case does not matter, and - is the same as _") {
    for (std::string_view name : {"ToKeN", "X-API-Key", "x_api_key", "ACCESS-KEY-ID", "my-Secret-2", "PIN"})
        CHECK_MESSAGE(secret_in("/x?" + std::string(name) + "=v") != "(none)", name);
}

TEST_CASE("names are read as the app reads them, and so is what separates them") {
    for (std::string_view address :
         {"/x?%74oken=abc", "/x?%54%4F%4b%45%4E=abc", "/x?api%5Fkey=abc", "/x?api%2dkey=abc",
          "/x?a=1&%63ode=abc", "/x?a=%26&token=abc", "/x?a=100%&token=abc", "/x?%&token=abc",
          "/x?a%3Btoken=abc", "/x?token%3Dabc", "/x?next=%2Fy%3Ftoken%3Dabc",
          "/x?next=https%3A%2F%2Fa%2F%3Fb%3D1%26code%3dabc", "/x%3Ftoken=abc"})
        CHECK_MESSAGE(secret_in(std::string(address)) == "abc", address);
    CHECK(secret_in("/x?next=%2Fy%3Ftoken%3Dabc%26b%3D1&c=2") == "abc%26b%3D1");
    CHECK(secret_in("/x?token=%26abc&c=2") == "%26abc");
    for (std::string_view address :
         {"/x?%25%37%34oken=abc", "/x?%2574oken=abc", "/x?tok%en=abc", "/x?a=%74oken", "/x?%74oken",
          "/%74oken=abc", "/x?a=token%3Dabc", "/x?c%6fde_of_country=%41"})
        CHECK_MESSAGE(secret_in(std::string(address)) == "(none)", address);
}

TEST_CASE("a name that no app has is taken for a telling one") {
    CHECK(secret_in("/x?%41" + std::string(255, 'a') + "=abc") == "(none)");
    CHECK(secret_in("/x?%41" + std::string(256, 'a') + "=abc") == "abc");
}

TEST_CASE("who stands before a host is a secret") {
    CHECK(secret_in("https://user:word@host/x") == "user:word");
    CHECK(secret_in("https://user@host") == "user");
    CHECK(secret_in("https://a@b:c@host/?x=1") == "a@b:c");
    CHECK(secret_in("/x?next=https://user:word@host/y") == "user:word");
    CHECK(secret_in("/x?token=https://user:word@host/y") == "https://user:word@host/y");
    CHECK(secret_in("https://user:word@host/?token=abc") == "user:word");
    for (std::string_view address :
         {"https://host/a@b", "https://host?a@b", "/x?mail=a@b.example", "a@b", "://", "@"})
        CHECK_MESSAGE(secret_in(std::string(address)) == "(none)", address);
}

TEST_CASE("what is struck out leaves the rest as it was") {
    const auto struck = [](std::string_view address) {
        std::string text;
        strike_out_secrets(address, [&](std::string_view piece) { text += piece; });
        return text;
    };
    CHECK(struck("https://u:p@host/x?a=1&%74oken=abc;d&b=%41&sid=9") ==
          "https://***@host/x?a=1&%74oken=***&b=%41&sid=***");
    CHECK(struck("/x?next=%2Fy%3Ftoken%3Dabc%26b%3D1&pin=1") == "/x?next=%2Fy%3Ftoken%3D***&pin=***");
    CHECK(struck("/x?a=b%") == "/x?a=b%");
}

TEST_CASE("an address with escapes that need not be there has the same secrets as the one without") {
    static constexpr std::string_view kCharacters = "tokencd?&;#=/ab%:@-_1";
    const unsigned seed = std::random_device()();
    INFO("seed ", seed);
    std::mt19937 random(seed);
    int found = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string plain = "/x?";
        for (size_t count = random() % 30; count > 0; --count)
            plain += random() % 6 == 0 ? std::string_view("token") : kCharacters.substr(random() % 20, 1);
        std::erase(plain, '%');
        // A letter of a path before the query: the other way to search, and nothing else.
        const std::string escaped = "/%78" + plain.substr(2);
        const auto one = find_secret(plain);
        const auto other = find_secret(escaped);
        CAPTURE(plain);
        REQUIRE(one.has_value() == other.has_value());
        if (!one) continue;
        ++found;
        REQUIRE(one->begin + 2 == other->begin);
        REQUIRE(one->end + 2 == other->end);
    }
    CHECK(found > 1000);
}

TEST_CASE("the quick search for telling names agrees with the plain rule") {
    static constexpr std::array<std::string_view, 26> kPieces = {
        "access", "_",      "-",    "key",    "api",  "aut", "h",  "cred", "ential",
        "jw",     "t",      "pass", "phrase", "word", "wd",  "se", "cret", "ssion",
        "sig",    "nature", "tok",  "en",     "code", "otp", "x",  "Pin"};
    const unsigned seed = std::random_device()();
    INFO("seed ", seed);
    std::mt19937 random(seed);
    int telling = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string name;
        for (size_t count = 1 + random() % 4; count > 0; --count) name += kPieces[random() % kPieces.size()];
        for (char& c : name)
            if (random() % 8 == 0) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        const bool expected = is_telling_plainly(name);
        telling += expected ? 1 : 0;
        const bool found = find_secret("/x?" + name + "=v").has_value();
        if (found != expected) FAIL_CHECK("`" << name << "` is" << (expected ? "" : " not") << " telling");
    }
    CHECK(telling > 1000);
    CHECK(telling < 19000);
}

}  // namespace weir::proxy
