#include "config/expand.h"

#include <doctest/doctest.h>

using namespace weir::config;

namespace {

std::optional<std::string> variable(std::string_view name) {
    if (name == "HOST") return "app.example";
    if (name == "EMPTY") return "";
    if (name == "DOLLARS") return "${HOST}$$";
    if (name == "TILDE") return "~";
    return std::nullopt;
}

struct Expanded {
    Node value;
    std::vector<Mistake> mistakes;
};

Expanded expanded(const std::string& text) {
    Document document = parse_document(text);
    REQUIRE(document.mistakes.empty());
    Expanded result;
    expand(document.root, variable, result.mistakes);
    result.value = document.root.entries.at(0).value;
    return result;
}

std::string text_of(const std::string& value) {
    const Expanded result = expanded("k: " + value + "\n");
    CHECK(result.mistakes.empty());
    return result.value.text;
}

}  // namespace

TEST_CASE("variables, defaults and doubled dollars are expanded in values") {
    CHECK(text_of("http://${HOST}:80") == "http://app.example:80");
    CHECK(text_of("${HOST}${HOST}") == "app.exampleapp.example");
    CHECK(text_of("${NONE:-5s}") == "5s");
    CHECK(text_of("${HOST:-other}") == "app.example");
    CHECK(text_of("${EMPTY:-other}") == "other");
    CHECK(text_of("x${EMPTY}y${NONE:-}") == "xy");
    CHECK(text_of("${NONE:-a:-b}") == "a:-b");
    CHECK(text_of("a$$b") == "a$b");
    CHECK(text_of("$${HOST}") == "${HOST}");
    CHECK(text_of("a$b $ c$") == "a$b $ c$");
}

TEST_CASE("what a variable holds is not expanded or parsed again") {
    CHECK(text_of("${DOLLARS}") == "${HOST}$$");
    const Expanded list = expanded("k: ${NONE:-[a, b]}\n");
    CHECK(list.value.kind == Kind::scalar);
    CHECK(list.value.text == "[a, b]");
}

TEST_CASE("an expansion without quotes that yields nothing or ~ is no value") {
    CHECK(expanded("k: ${EMPTY}\n").value.kind == Kind::nothing);
    CHECK(expanded("k: ${TILDE}\n").value.kind == Kind::nothing);
    CHECK(expanded("k: \"${EMPTY}\"\n").value.kind == Kind::scalar);
}

TEST_CASE("keys are left alone, values are found at any depth") {
    Document document = parse_document("${HOST}: {a: [x, {b: \"${HOST}\"}]}\n");
    std::vector<Mistake> mistakes;
    expand(document.root, variable, mistakes);
    CHECK(mistakes.empty());
    CHECK(document.root.entries[0].key == "${HOST}");
    CHECK(document.root.entries[0].value.entries[0].value.items[1].entries[0].value.text == "app.example");
}

TEST_CASE("what cannot be expanded is a mistake at its own place") {
    struct Case {
        const char* text;
        size_t column;
        const char* message;
    };
    for (const Case& one :
         {Case{"k: é${NONE}\n", 5, "the variable `NONE` is not set"},
          Case{"k: \"é${NONE}\"\n", 6, "the variable `NONE` is not set"},
          Case{"k: a${HOST\n", 5, "`${` is never closed"}, Case{"k: ${}\n", 4, "`${}` is not a variable"},
          Case{"k: ${1A}\n", 4, "`${1A}` is not a variable"},
          Case{"k: ${A-b}\n", 4, "`${A-b}` is not a variable"},
          Case{"k: ${A:-${HOST}}\n", 4, "`${A:-${HOST}` is not a variable"}}) {
        CAPTURE(one.text);
        const Expanded result = expanded(one.text);
        REQUIRE(result.mistakes.size() == 1);
        CHECK(result.mistakes[0].place.line == 1);
        CHECK(result.mistakes[0].place.column == one.column);
        CHECK(result.mistakes[0].message == one.message);
        CHECK_FALSE(result.mistakes[0].hint.empty());
        CHECK(result.value.kind == Kind::broken);
    }
    CHECK(expanded("k: ${NONE} ${ALSO}\n").mistakes.size() == 2);
}

TEST_CASE("escaped text expands to itself") {
    for (const char* text : {"$", "$$", "${HOST}", "a$b", "$${x"}) {
        CHECK(text_of(yaml_scalar(escape_dollars(text))) == text);
    }
}
