// Whatever the bytes, loading ends with settings or with mistakes that can be found.
#include <random>

#include <doctest/doctest.h>

#include "config/check_report.h"
#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

void check_load(const std::string& text) {
    const auto result = load(sources(text, {{"A", "b: [c"}, {"WEIR_DRAIN", "5s"}}));
    CAPTURE(text);
    if (result) {
        REQUIRE(load(sources(effective_config(*result))).has_value());
        return;
    }
    REQUIRE_FALSE(result.error().empty());
    for (const Diagnostic& diagnostic : result.error()) {
        const bool has_place = diagnostic.line > 0 && diagnostic.column > 0;
        const bool is_missing = diagnostic.message.find("missing") != std::string::npos;
        REQUIRE((has_place || is_missing || diagnostic.source != "weir.yaml"));
        REQUIRE_FALSE(render(diagnostic).empty());
        REQUIRE_FALSE(diagnostic.message.empty());
    }
}

constexpr const char* kPieces[] = {"listen",   ": ",     "upstream",
                                   "http://",  "a",      "\n",
                                   "\n  ",     "- ",     "[",
                                   "]",        "{",      "}",
                                   ", ",       "'",      "\"",
                                   "${A}",     "${",     "$$",
                                   "~",        "&a ",    "*a",
                                   "!!str ",   "# ",     "\t",
                                   "---\n",    "...",    "? ",
                                   "timeout",  "total",  "limits",
                                   "body",     "10MiB",  "30s",
                                   "5",        "\\",     "|\n",
                                   ">\n",      "é",      "\xff",
                                   "log",      "%",      "servers",
                                   ":80",      "unix:",  "/run/x",
                                   "mode",     "0660",   "\r\n",
                                   "address",  "@",      "`",
                                   "\xe2\x80", "<<",     "null",
                                   "true",     "-1",     "99999999999999999999s",
                                   "pool",     "rate",   "60/min",
                                   "routes",   "match",  "path",
                                   "/a/{b}*",  "params", "query",
                                   "int",      "1..5",   "header",
                                   "shadow",   "key",    "none",
                                   "errors",   "cors",   "{status}"};

}  // namespace

TEST_CASE("random bytes never break loading") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 3'000; ++i) {
        std::string text(random() % 60, '\0');
        for (char& c : text) c = static_cast<char>(random() % (i % 2 == 0 ? 256 : 128));
        check_load(text);
    }
}

TEST_CASE("random pieces of the language never break loading") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 6'000; ++i) {
        std::string text = i % 3 == 0 ? kSmallest : "";
        for (size_t count = random() % 30; count > 0; --count) text += kPieces[random() % std::size(kPieces)];
        check_load(text);
    }
}

TEST_CASE("every beginning of a good file is loaded or refused") {
    const std::string text =
        std::string(kSmallest) +
        "timeout: {total: \"5s\", stall: 4s}\nlimits:\n  body: ${A:-1MiB}\nlog: {access: '/a''b'}\n";
    for (size_t length = 0; length <= text.size(); ++length) check_load(text.substr(0, length));
}

TEST_CASE("every beginning of a file with routes is loaded or refused") {
    const std::string text =
        std::string(kSmallest) +
        "limits: {rate: [60/min, {limit: 5/s, burst: 9, key: [ip, header:A]}]}\n"
        "routes:\n  - match: {path: [\"/a/{id}\", \"/b/*/{id}\"], header: {X-A: ~}}\n"
        "    limits: {rate: none, group: g}\n    params: {path: {id: {int: 1..}}, query: {q: {len: ..5}}}\n"
        "errors: {body: \"{status} {x}\"}\ncors: \"*\"\nshadow: 5/min\n";
    for (size_t length = 0; length <= text.size(); ++length) check_load(text.substr(0, length));
}
