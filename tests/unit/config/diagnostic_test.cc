#include <doctest/doctest.h>

#include "config/load.h"

using namespace weir::config;

namespace {

Diagnostic at(size_t line, size_t column, std::string quoted) {
    return {Severity::error, "weir.yaml", line, column, std::move(quoted), "message", "", 0};
}

}  // namespace

TEST_CASE("a mistake is shown with its place, its line, a caret and the way out") {
    Diagnostic diagnostic = at(12, 5, "    timeout: 30");
    diagnostic.hint = "did you mean `30s`?";
    CHECK(render(diagnostic) ==
          "weir.yaml:12:5: error: message\n"
          "   12 |     timeout: 30\n"
          "      |     ^\n"
          "      = did you mean `30s`?\n");
    diagnostic.severity = Severity::warning;
    CHECK(render(diagnostic).starts_with("weir.yaml:12:5: warning: message\n"));
}

TEST_CASE("without a line there is no place, without a quote no caret") {
    CHECK(render(at(0, 0, "")) == "weir.yaml: error: message\n");
    CHECK(render(at(0, 0, "--set a=b")) == "weir.yaml: error: message\n      | --set a=b\n");
    CHECK(render(at(0, 9, "--set a=b")) ==
          "weir.yaml: error: message\n      | --set a=b\n      |         ^\n");
}

TEST_CASE("a hint of several lines keeps its own indentation") {
    Diagnostic diagnostic = at(0, 0, "");
    diagnostic.hint = "first\n  second";
    CHECK(render(diagnostic) == "weir.yaml: error: message\n      = first\n          second\n");
}

TEST_CASE("the caret stands below its character, whatever stands before it") {
    CHECK(render(at(1, 3, "é: x")) == "weir.yaml:1:3: error: message\n    1 | é: x\n      |   ^\n");
    CHECK(render(at(1, 3, "\ta: x")) == "weir.yaml:1:3: error: message\n    1 |  a: x\n      |   ^\n");
    CHECK(render(at(1, 2, "\x01x")) == "weir.yaml:1:2: error: message\n    1 | \\x01x\n      |     ^\n");
    CHECK(render(at(1, 2, "\xffx")) == "weir.yaml:1:2: error: message\n    1 | \\xffx\n      |     ^\n");
    CHECK(render(at(1, 3, "ab")) == "weir.yaml:1:3: error: message\n    1 | ab\n      |   ^\n");
    CHECK(render(at(1, 1, "")) == "weir.yaml:1:1: error: message\n    1 | \n      | ^\n");
    CHECK(render(at(123456, 1, "a")) == "weir.yaml:123456:1: error: message\n123456 | a\n       | ^\n");
}

TEST_CASE("a long line is shortened around the caret") {
    const std::string line = std::string(200, 'a') + "X" + std::string(200, 'b');
    CHECK(render(at(1, 201, line)) == "weir.yaml:1:201: error: message\n    1 | ..." + std::string(60, 'a') +
                                          "X" + std::string(39, 'b') + "...\n      | " +
                                          std::string(63, ' ') + "^\n");
    CHECK(render(at(1, 1, line)) ==
          "weir.yaml:1:1: error: message\n    1 | " + std::string(100, 'a') + "...\n      | ^\n");
    Diagnostic cut = at(1, 5'003, "abcd");
    cut.cut = 5'000;
    CHECK(render(cut) == "weir.yaml:1:5003: error: message\n    1 | ...abcd\n      |      ^\n");
}

TEST_CASE("nothing that is shown can drive a terminal") {
    Diagnostic diagnostic = at(1, 1, "\x1b[2J\x7f\u202e");
    diagnostic.source = "a\nb";
    diagnostic.message = "\x1b]0;x\x07";
    diagnostic.hint = "\r";
    CHECK(render(diagnostic) ==
          "a\\x0ab:1:1: error: \\x1b]0;x\\x07\n"
          "    1 | \\x1b[2J\\x7f\\u{202e}\n"
          "      | ^\n"
          "      = \\x0d\n");
}
