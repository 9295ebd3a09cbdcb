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
std::string_view secret_in(std::string_view address) {
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
        CHECK_MESSAGE(secret_in(address) == "abc", address);
}

TEST_CASE("nothing is found where no name is telling") {
    for (std::string_view address :
         {"", "/", "/x?", "/x?token", "/x?=token", "/x?a=token", "token=abc", "/token/x?a=b", "/x?&&==&",
          "/x?country_code=de&monkey=1&pinned=2&design=3&toke=4&tokn=5"})
        CHECK_MESSAGE(secret_in(address) == "(none)", address);
}

TEST_CASE("letter case does not matter, and - is the same as _") {
    for (std::string_view name : {"ToKeN", "X-API-Key", "x_api_key", "ACCESS-KEY-ID", "my-Secret-2", "PIN"})
        CHECK_MESSAGE(secret_in("/x?" + std::string(name) + "=v") != "(none)", name);
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
