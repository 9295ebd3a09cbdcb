#include "config/words.h"

#include <doctest/doctest.h>

using namespace weir;
using namespace weir::config;

namespace {

std::string hint_of(Result<std::string, Wrong> result) {
    REQUIRE_FALSE(result.has_value());
    return result.error().hint;
}

}  // namespace

TEST_CASE("a name is short and plain") {
    CHECK(*parse_name("a-b_9") == "a-b_9");
    CHECK(parse_name(std::string(64, 'a')).has_value());
    CHECK_FALSE(parse_name(std::string(65, 'a')).has_value());
    CHECK(hint_of(parse_name("My Rule")).starts_with("did you mean `my-rule`?"));
    CHECK_FALSE(parse_name("").has_value());
    CHECK_FALSE(parse_name("a.b").has_value());
    CHECK_FALSE(parse_name("é").has_value());
}

TEST_CASE("methods are in upper case, names of fields in lower") {
    CHECK(*parse_method("M-SEARCH") == "M-SEARCH");
    CHECK(hint_of(parse_method("get")) == "did you mean `GET`?");
    CHECK(hint_of(parse_method("GE T")) == "write it as in `POST`");
    CHECK_FALSE(parse_method("").has_value());
    CHECK_FALSE(parse_method("*").has_value());
    CHECK(*parse_token("X-Api-Key") == "x-api-key");
    CHECK_FALSE(parse_token("X Y").has_value());
    CHECK_FALSE(parse_token("X:").has_value());
    CHECK_FALSE(parse_token("").has_value());
}

TEST_CASE("a media type has both its halves, and a range only the second open") {
    CHECK(*parse_media_range("Application/JSON") == "application/json");
    CHECK(*parse_media_range("image/*") == "image/*");
    CHECK(*parse_media_range("application/vnd.api+json") == "application/vnd.api+json");
    CHECK(hint_of(parse_media_range("text/html;charset=utf-8")) == "did you mean `text/html`?");
    for (const char* text :
         {"", "json", "text/", "/html", "*/*", "*/json", "text/h*", "a/b/c", "text/ html"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_media_range(text).has_value());
    }
    CHECK(*parse_content_type("text/html; charset=utf-8") == "text/html; charset=utf-8");
    CHECK_FALSE(parse_content_type("html").has_value());
    CHECK_FALSE(parse_content_type("text/html; x=é").has_value());
    CHECK_FALSE(parse_content_type("text/html\r\nX: y").has_value());
}

TEST_CASE("an origin is written as browsers send it") {
    CHECK(*parse_origin("*") == "*");
    CHECK(*parse_origin("https://App.example") == "https://app.example");
    CHECK(*parse_origin("http://localhost:3000") == "http://localhost:3000");
    CHECK(*parse_origin("https://[::1]:3000") == "https://[::1]:3000");
    CHECK(*parse_origin("https://[::1]") == "https://[::1]");
    CHECK(*parse_origin("capacitor://localhost") == "capacitor://localhost");
    CHECK(hint_of(parse_origin("https://app.example/")) == "did you mean `https://app.example`?");
    CHECK(hint_of(parse_origin("https://app.example:443")) == "did you mean `https://app.example`?");
    CHECK(hint_of(parse_origin("http://app.example:80")) == "did you mean `http://app.example`?");
    for (const char* text : {"", "null", "app.example", "https://", "https://*.example", "https://a b",
                             "://a", "https://a:x", "//a"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_origin(text).has_value());
    }
}
