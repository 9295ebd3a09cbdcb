#include "config/document.h"

#include <random>
#include <string>

#include <doctest/doctest.h>

using namespace weir::config;

namespace {

struct Found {
    size_t line;
    size_t column;
    std::string message;
    bool operator==(const Found&) const = default;
};

std::vector<Found> mistakes_in(const std::string& text) {
    std::vector<Found> found;
    for (const Mistake& mistake : parse_document(normalised(text)).mistakes) {
        found.push_back({mistake.place.line, mistake.place.column, mistake.message});
    }
    return found;
}

Node root_of(const std::string& text) {
    Document document = parse_document(normalised(text));
    REQUIRE(document.mistakes.empty());
    REQUIRE(document.complete);
    return std::move(document.root);
}

void check_place(const Place& place, size_t line, size_t column) {
    CHECK(place.line == line);
    CHECK(place.column == column);
}

}  // namespace

TEST_CASE("every key and value knows its line and its column in characters") {
    const Node root = root_of("a: 1\nmap:\n  é: [ü, x]  # comment\n  f: {k: \"v\", n: }\n");
    REQUIRE(root.kind == Kind::map);
    REQUIRE(root.entries.size() == 2);
    check_place(root.entries[0].place, 1, 1);
    check_place(root.entries[0].value.place, 1, 4);
    const Node& map = root.entries[1].value;
    REQUIRE(map.entries.size() == 2);
    CHECK(map.entries[0].key == "é");
    check_place(map.entries[0].place, 3, 3);
    REQUIRE(map.entries[0].value.items.size() == 2);
    check_place(map.entries[0].value.items[0].place, 3, 7);
    check_place(map.entries[0].value.items[1].place, 3, 10);
    CHECK(map.entries[0].value.items[1].text == "x");
    const Node& flow = map.entries[1].value;
    check_place(flow.place, 4, 6);
    check_place(flow.entries[0].value.place, 4, 10);
    CHECK(flow.entries[0].value.text == "v");
    CHECK_FALSE(flow.entries[0].value.plain);
    CHECK(flow.entries[1].value.kind == Kind::nothing);
}

TEST_CASE("an empty document is an empty map") {
    for (const char* text : {"", "\n", "# nothing\n", "---\n", "\xef\xbb\xbf", "~\n"}) {
        CAPTURE(text);
        const Node root = root_of(text);
        CHECK(root.kind == Kind::map);
        CHECK(root.entries.empty());
    }
}

TEST_CASE("a byte-order mark and CRLF change nothing") {
    const Node root = root_of(
        "\xef\xbb\xbf"
        "a: 1\r\nb: 2\r\n");
    REQUIRE(root.entries.size() == 2);
    CHECK(root.entries[0].value.text == "1");
    CHECK(root.entries[1].value.text == "2");
    check_place(root.entries[1].place, 2, 1);
}

TEST_CASE("a duplicate key is a mistake that says where the first one stands") {
    const Document document = parse_document("a: 1\nb: {c: 1, d: 2, c: 3}\na: 2\n");
    REQUIRE(document.mistakes.size() == 2);
    check_place(document.mistakes[0].place, 2, 17);
    CHECK(document.mistakes[0].message == "`b.c` is given twice");
    CHECK(document.mistakes[0].hint == "the first one is on line 2, column 5");
    check_place(document.mistakes[1].place, 3, 1);
    CHECK(document.mistakes[1].message == "`a` is given twice");
    CHECK(document.mistakes[1].hint == "the first one is on line 1, column 1");
    CHECK(document.complete);
}

TEST_CASE("what YAML has beyond maps, lists and scalars is refused where it stands") {
    using V = std::vector<Found>;
    CHECK(mistakes_in("a: &x 1\nb: *x\n") ==
          V{{1, 4, "anchors are not supported"}, {2, 4, "aliases are not supported"}});
    CHECK(mistakes_in("a: *x\n") == V{{1, 4, "aliases are not supported"}});
    CHECK(mistakes_in("a: !!int 1\n") == V{{1, 4, "tags are not supported"}});
    CHECK(mistakes_in("a: ! 1\n") == V{{1, 4, "tags are not supported"}});
    CHECK(mistakes_in("a: !mine {b: 1}\n") == V{{1, 4, "tags are not supported"}});
    CHECK(mistakes_in("a: 1\n---\nb: 2\n") == V{{2, 1, "a second document begins here"}});
    CHECK(mistakes_in("a: 1\n---\n") == V{{2, 1, "a second document begins here"}});
    CHECK(mistakes_in("- a\n-b\n") == V{{2, 1, "this belongs to nothing above it"}});
    CHECK(mistakes_in("? [a]\n: b\n") == V{{1, 3, "a key must be a plain word"}});
    CHECK(mistakes_in("? {a: 1}\n: b\n") == V{{1, 3, "a key must be a plain word"}});
    CHECK(mistakes_in("~: 1\n") == V{{1, 1, "a key must be a plain word"}});
    CHECK(mistakes_in("\"\": 1\n") == V{{1, 1, "a key must be a plain word"}});
    CHECK(mistakes_in("a: 1\n...\n").empty());
}

TEST_CASE("a key that is refused takes its value with it, and nothing else") {
    const Document document = parse_document("? [a]\n: [b, {c: 1}]\nd: 2\n{e: 3}: 4\n");
    CHECK(document.mistakes.size() == 2);
    REQUIRE(document.root.entries.size() == 1);
    CHECK(document.root.entries[0].key == "d");
    CHECK(document.root.entries[0].value.text == "2");
}

TEST_CASE("bad syntax is one mistake with its place, and what was read before stays") {
    const Document document = parse_document("a: 1\na: 2\nb: [x\n");
    CHECK_FALSE(document.complete);
    REQUIRE(document.mistakes.size() == 2);
    CHECK(document.mistakes[0].message == "`a` is given twice");
    CHECK(document.mistakes[1].message == "not valid YAML: end of sequence flow not found");
    CHECK(document.mistakes[1].place.line == 4);
}

TEST_CASE("bad syntax comes with what is likely to be wrong") {
    const auto hint_of = [](std::string_view text) { return parse_document(text).mistakes.at(0).hint; };
    CHECK(hint_of("a:\n  b: 1\n c: 2\n").starts_with("check the indentation"));
    CHECK(hint_of("a:\n  - b\n - c\n").starts_with("check the indentation"));
    CHECK(hint_of("a:\n  b: 1\n   c: 2\n").starts_with("check the indentation"));
    CHECK(hint_of("a: {b: 1\nc: 2\n") == "a `{` above is never closed");
    CHECK(hint_of("a: [b\n") == "a `[` above is never closed");
    CHECK(hint_of("a: {b: 1}}\n") == "this closes what was not opened");
}

TEST_CASE("a quote that is never closed does not swallow the rest of the file") {
    using V = std::vector<Found>;
    for (const char* text : {"a: \"x\nb: 2\n", "a: 'x\nb: 2\n", "a: \"x\\\"\n\n", "a: 'it''s\n", "a: \"\n"}) {
        CAPTURE(text);
        CHECK(mistakes_in(text) == V{{1, 4, "this quote is never closed"}});
    }
    CHECK(mistakes_in("\"a\n") == V{{1, 1, "this quote is never closed"}});
    CHECK(root_of("a: \"x \\\" '\"\n").entries[0].value.text == "x \" '");
    CHECK(root_of("a: 'it''s \"'\n").entries[0].value.text == "it's \"");
    CHECK(root_of("a: \"two\n  lines\"\n").entries[0].value.text == "two lines");
}

TEST_CASE("an IPv6 address without quotes is bad syntax with the way out") {
    for (const char* text : {"listen: [::]:8080\n", "upstream: [http://[::1]:5000]\n"}) {
        const Document document = parse_document(text);
        REQUIRE(document.mistakes.size() == 1);
        CHECK(document.mistakes[0].hint == "an address with `[` must be quoted: \"[::1]:8080\"");
    }
}

TEST_CASE("nesting has a bound") {
    const auto nested = [](size_t depth) {
        std::string text = "a: ";
        return text.append(depth - 1, '[').append("x").append(depth - 1, ']');
    };
    CHECK(mistakes_in(nested(kMaxDepth)).empty());
    const std::vector<Found> found = mistakes_in(nested(kMaxDepth + 1));
    REQUIRE(found.size() == 1);
    CHECK(found[0] == Found{1, 3 + kMaxDepth, "nested deeper than 32 levels"});
    CHECK(mistakes_in(std::string(100'000, '[')).size() == 1);
    CHECK(mistakes_in(std::string(100'000, '{')).size() == 1);
}

TEST_CASE("bytes that are not text are all named, before YAML sees them") {
    using V = std::vector<Found>;
    CHECK(mistakes_in("a:\n\tb: 1\n  \tc: 2\n") ==
          V{{2, 1, "a tab indents this line"}, {3, 3, "a tab indents this line"}});
    CHECK(mistakes_in("a: 1\n\t\n \t# comment\n") ==
          V{{2, 1, "a tab indents this line"}, {3, 2, "a tab indents this line"}});
    CHECK(mistakes_in("a:\t1\t# comment\n").empty());
    CHECK(mistakes_in("é: \xff\n") == V{{1, 4, "byte `\\xff` is not UTF-8"}});
    CHECK(mistakes_in("a: 1\rb: 2") == V{{1, 5, "the control character `\\x0d` is not allowed"}});
    CHECK(mistakes_in(std::string("a\0b", 3)) == V{{1, 2, "the control character `\\x00` is not allowed"}});
    CHECK(mistakes_in("a: \u202e1\n") == V{{1, 4, "the control character `\\u{202e}` is not allowed"}});
    CHECK(mistakes_in("\xff\xfe"
                      "a\0")
              .front() == Found{1, 1, "byte `\\xff` is not UTF-8"});
}

TEST_CASE("a scalar reads back as itself, in a block and in a list") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::string_view alphabet = "ab1:,#[]{}&*!|>'\"%@`~- ?\\\n\t$é";
    for (int i = 0; i < 2'000; ++i) {
        std::string text;
        for (size_t length = random() % 8; length > 0; --length)
            text += alphabet[random() % (alphabet.size() - 2)];
        if (random() % 4 == 0) text += "é";
        const std::string written = yaml_scalar(text);
        CAPTURE(text);
        const Node block = root_of("k: " + written + "\n");
        REQUIRE(block.entries.size() == 1);
        REQUIRE(block.entries[0].value.text == text);
        REQUIRE(block.entries[0].value.kind == Kind::scalar);
        const Node flow = root_of("[" + written + ", {k: " + written + "}]\n");
        REQUIRE(flow.items.size() == 2);
        REQUIRE(flow.items[0].text == text);
        REQUIRE(flow.items[1].entries[0].value.text == text);
    }
    CHECK(yaml_scalar("0.0.0.0:8080") == "0.0.0.0:8080");
    CHECK(yaml_scalar("[::]:80") == "\"[::]:80\"");
    CHECK(yaml_scalar("~") == "\"~\"");
}
