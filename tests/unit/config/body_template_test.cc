#include "config/body_template.h"

#include <doctest/doctest.h>

using namespace weir::config;

namespace {

constexpr auto kText = BodyPiece::Kind::text;

}  // namespace

TEST_CASE("words between braces are placeholders, other braces are themselves") {
    using Kind = BodyPiece::Kind;
    CHECK(*parse_body("plain") == std::vector<BodyPiece>{{kText, "plain"}});
    CHECK(*parse_body("{status}{reason}") == std::vector<BodyPiece>{{Kind::status, ""}, {Kind::reason, ""}});
    CHECK(*parse_body("{\"e\": \"{detail}\", \"o\": {}}") ==
          std::vector<BodyPiece>{{kText, "{\"e\": \""}, {Kind::detail, ""}, {kText, "\", \"o\": {}}"}});
    CHECK(*parse_body("p {color: red} {request_id}{") ==
          std::vector<BodyPiece>{{kText, "p {color: red} "}, {Kind::request_id, ""}, {kText, "{"}});
    CHECK(*parse_body("{{status}}") ==
          std::vector<BodyPiece>{{kText, "{"}, {Kind::status, ""}, {kText, "}"}});
}

TEST_CASE("a placeholder that does not exist is pointed at") {
    auto result = parse_body("a {statos} {status}");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().message == "`{statos}` is not a placeholder");
    CHECK(result.error().hint == "did you mean `{status}`?");
    CHECK(result.error().culprit == "{statos}");
    auto other = parse_body("{colour}");
    CHECK(other.error().hint == "known: {status}, {reason}, {detail}, {request_id}");
    CHECK_FALSE(parse_body("").has_value());
    CHECK_FALSE(parse_body(std::string(65 * 1024, 'a')).has_value());
    CHECK(parse_body(std::string(64 * 1024, '{')).has_value());
}
