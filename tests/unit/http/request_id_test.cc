#include "http/request_id.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace weir::http;

TEST_CASE("an id of the client's is sane only if it is short and made of harmless characters") {
    for (const char* id : {"a", "0123-ABC._~+/=:@", "1-67891233-abcdef012345678912345678"})
        CHECK(is_sane_request_id(id));
    for (const char* id : {"", " ", "a b", "a\"b", "a,b", "a;b", "<a>", "a\tb", "a%20", "caf\xc3\xa9"}) {
        CHECK_FALSE(is_sane_request_id(id));
    }
    CHECK(is_sane_request_id(std::string(128, 'a')));
    CHECK_FALSE(is_sane_request_id(std::string(129, 'a')));
}

TEST_CASE("ids that are made are sane, all different and repeatable from their seed") {
    RequestIdSource source(0x0123456789abcdefU, 7);
    RequestIdSource twin(0x0123456789abcdefU, 7);
    std::set<std::string> seen;
    for (int i = 0; i < 10000; ++i) {
        const auto made = source.next();
        const std::string id(made.data(), made.size());
        REQUIRE(made == twin.next());
        REQUIRE(is_sane_request_id(id));
        REQUIRE(id.find_first_not_of("0123456789abcdef") == std::string::npos);
        REQUIRE(id.substr(0, 16) == "0123456789abcdef");
        REQUIRE(seen.insert(id).second);
    }
}
