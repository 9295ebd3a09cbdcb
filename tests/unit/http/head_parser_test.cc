#include "http/head_parser.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "hostile_heads.h"
#include "http/head_scan.h"
#include "random_source.h"

using namespace weir::http;

namespace {

/// Keeps the bytes beside the head whose views point into them, in memory of exactly their size.
struct Parsed {
    std::vector<char> bytes;
    RequestHead head;
    MaybeFault fault;

    explicit Parsed(const std::string& text, const HeadLimits& limits = {})
        : bytes(text.begin(), text.end()) {
        fault = parse_request_head({bytes.data(), bytes.size()}, limits, head);
    }
};

Parsed parse_sound(const std::string& text) {
    CAPTURE(text);
    Parsed parsed(text);
    REQUIRE_FALSE(parsed.fault);
    return parsed;
}

Parsed parse_with(const std::string& fields, const std::string& version = "1.1") {
    return parse_sound("GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n");
}

Reason reason_of(const std::string& text, const HeadLimits& limits) {
    const Parsed parsed(text, limits);
    REQUIRE(parsed.fault);
    return parsed.fault->reason;
}

}  // namespace

TEST_CASE("hostile heads get the verdict they deserve, and their sound twins pass") {
    size_t refused = 0;
    for (const HostileHead& hostile : hostile_heads()) {
        CAPTURE(hostile.name);
        const Parsed parsed(hostile.bytes);
        if (parsed.fault) CAPTURE(parsed.fault->detail);
        REQUIRE(parsed.fault.has_value() == hostile.verdict.has_value());
        if (!parsed.fault) continue;
        ++refused;
        CHECK(parsed.fault->reason == *hostile.verdict);
        CHECK(std::string(parsed.fault->detail) != "");
        CHECK(parsed.fault->offset <= hostile.bytes.size());
    }
    CHECK(refused >= 80);
}

TEST_CASE("a request head is read into its parts") {
    const Parsed parsed = parse_sound(
        "POST /a/b?c=d&e HTTP/1.1\r\nhost: app.example:8080\r\nContent-Length:  42  \r\nX-Empty:\r\n"
        "X-Long: a value of more than sixteen bytes, in two parts\r\n\r\n");
    const RequestHead& head = parsed.head;
    CHECK(head.method == Method::post);
    CHECK(head.method_name == "POST");
    CHECK(head.target == "/a/b?c=d&e");
    CHECK(head.path == "/a/b");
    CHECK(head.has_query);
    CHECK(head.query == "c=d&e");
    CHECK(head.path_and_query == head.target);
    CHECK(head.authority == "app.example:8080");
    CHECK(head.version == Version::http11);
    CHECK(head.body.framing == Framing::length);
    CHECK(head.body.length == 42);
    CHECK(head.keep_alive);
    REQUIRE(head.fields.size() == 4);
    CHECK(head.fields[0].name == "host");
    CHECK(head.fields[0].id == FieldId::host);
    CHECK(head.fields[1].value == "42");
    CHECK(head.fields[2].value.empty());
    CHECK(head.fields[3].value == "a value of more than sixteen bytes, in two parts");
    CHECK(head.fields[3].id == FieldId::other);
}

TEST_CASE("a query may be empty, and may hold further question marks") {
    CHECK(parse_sound("GET /a? HTTP/1.0\r\n\r\n").head.has_query);
    CHECK(parse_sound("GET /a? HTTP/1.0\r\n\r\n").head.query.empty());
    CHECK_FALSE(parse_sound("GET /a HTTP/1.0\r\n\r\n").head.has_query);
    CHECK(parse_sound("GET /a?b?c HTTP/1.0\r\n\r\n").head.query == "b?c");
}

TEST_CASE("an absolute-form target names the authority in the place of Host, wherever Host stands") {
    const Parsed parsed = parse_sound("GET http://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(parsed.head.authority == "b.example:81");
    CHECK(parsed.head.path == "/x");
    CHECK(parsed.head.query == "y");
    CHECK(parsed.head.path_and_query == "/x?y");

    const Parsed bare = parse_sound("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(bare.head.path_and_query == "/");
    CHECK(bare.head.path == "/");
}

TEST_CASE("OPTIONS for the server as a whole has the path of an asterisk in both its forms") {
    CHECK(parse_sound("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").head.path == "*");
    const Parsed absolute = parse_sound("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(absolute.head.path_and_query == "*");
    CHECK(absolute.head.authority == "b");
}

TEST_CASE("keep-alive follows the version and every Connection field, and close wins") {
    CHECK(parse_with("").head.keep_alive);
    CHECK_FALSE(parse_with("Connection: close\r\n").head.keep_alive);
    CHECK_FALSE(parse_with("Connection: x\r\nconnection: y, Close\r\n").head.keep_alive);
    CHECK_FALSE(parse_with("Connection: close\r\nConnection: keep-alive\r\n").head.keep_alive);
    CHECK_FALSE(parse_with("", "1.0").head.keep_alive);
    CHECK(parse_with("Connection: Keep-Alive\r\n", "1.0").head.keep_alive);
    CHECK_FALSE(parse_with("Connection: keep-alive, close\r\n", "1.0").head.keep_alive);
}

TEST_CASE("Upgrade counts only in HTTP/1.1 and where Connection names it") {
    const std::string both = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
    CHECK(parse_with(both).head.upgrade == "websocket");
    CHECK(parse_with("Upgrade: websocket\r\nConnection: upgrade\r\n").head.upgrade == "websocket");
    CHECK(parse_with(both, "1.0").head.upgrade.empty());
    CHECK(parse_with("Upgrade: websocket\r\n").head.upgrade.empty());
    CHECK(parse_with("Connection: upgrade\r\n").head.upgrade.empty());
}

TEST_CASE("Expect counts in HTTP/1.1 alone, TE wherever it lists trailers") {
    CHECK(parse_with("Expect: 100-continue\r\n").head.expect_continue);
    CHECK_FALSE(parse_with("Expect: 100-continue\r\n", "1.0").head.expect_continue);
    CHECK(parse_with("TE: gzip, trailers\r\n").head.te_trailers);
    CHECK_FALSE(parse_with("TE: gzip\r\n").head.te_trailers);
}

TEST_CASE("a head that is reused keeps nothing of the one before") {
    RequestHead head;
    const std::string first =
        "POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, "
        "upgrade\r\nUpgrade: x\r\n"
        "TE: trailers\r\nExpect: 100-continue\r\n\r\n";
    const std::string second = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    REQUIRE_FALSE(parse_request_head(first, {}, head));
    CHECK(head.body.framing == Framing::chunked);
    CHECK_FALSE(head.keep_alive);
    REQUIRE_FALSE(parse_request_head(second, {}, head));
    CHECK(head.body.framing == Framing::none);
    CHECK(head.keep_alive);
    CHECK_FALSE(head.has_query);
    CHECK_FALSE(head.expect_continue);
    CHECK_FALSE(head.te_trailers);
    CHECK(head.upgrade.empty());
    CHECK(head.authority.empty());
    CHECK(head.fields.size() == 1);
}

TEST_CASE("each limit admits what equals it and refuses what is one past it") {
    const std::string head = "GET /abcdefgh HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    HeadLimits limits{head.size(), 2, 9};
    CHECK_FALSE(Parsed(head, limits).fault);
    limits.head_bytes -= 1;
    CHECK(reason_of(head, limits) == Reason::header_too_large);
    limits = {head.size(), 1, 9};
    CHECK(reason_of(head, limits) == Reason::header_too_large);
    limits = {head.size(), 2, 8};
    CHECK(reason_of(head, limits) == Reason::uri_too_long);
    limits = {10, 2, 8};
    CHECK(reason_of(head, limits) == Reason::uri_too_long);
}

TEST_CASE("a refused head still tells method and target as far as they were read, and where it went wrong") {
    const Parsed parsed("PUT /a/b HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n");
    REQUIRE(parsed.fault);
    CHECK(parsed.head.method_name == "PUT");
    CHECK(parsed.head.target == "/a/b");
    CHECK(parsed.fault->offset == 29);
    const Parsed early("\r\nPUT /a#b HTTP/1.1\r\n\r\n");
    REQUIRE(early.fault);
    CHECK(early.head.target == "/a");
    CHECK(early.fault->offset == 8);
}

TEST_CASE("an unfinished head is refused as soon as it cannot become a sound one") {
    const HeadLimits limits{100, 10, 50};
    const auto verdict = [&](const std::string& bytes) -> std::optional<Reason> {
        const MaybeFault fault = check_partial_request(bytes, limits);
        if (!fault) return std::nullopt;
        return fault->reason;
    };
    for (const char* sound :
         {"", "\r", "\r\n", "G", "GET", "\r\nGET ", "GET /", "GET / HTTP/1.1\r\nHo", "P!~|R "}) {
        CAPTURE(sound);
        CHECK(verdict(sound) == std::nullopt);
    }
    for (const char* bad : {" ", "\x16\x03\x01", "GE\r\n", "\r\r", "\r\n\r", "G:", "{\"a\":1}", "\x80"}) {
        CAPTURE(bad);
        CHECK(verdict(bad) == Reason::bad_request);
    }
    CHECK(verdict(std::string(32, 'M')) == std::nullopt);
    CHECK(verdict(std::string(33, 'M')) == Reason::not_implemented);
    CHECK(verdict("GET /" + std::string(49, 'a')) == std::nullopt);
    CHECK(verdict("GET /" + std::string(50, 'a')) == Reason::uri_too_long);
    CHECK(verdict("GET / HTTP/1.1\r\nX: " + std::string(100, 'a')) == Reason::header_too_large);
}

TEST_CASE("the start of no sound head is refused before the head is complete") {
    for (const HostileHead& hostile : hostile_heads()) {
        if (hostile.verdict) continue;
        for (size_t size = 0; size < hostile.bytes.size(); ++size) {
            CAPTURE(hostile.name);
            CHECK_FALSE(check_partial_request(hostile.bytes.substr(0, size), {}));
        }
    }
}

TEST_CASE(
    "mutated heads are parsed without fault of the parser, and what is accepted holds to the contract") {
    RandomSource random;
    INFO("seed: " << random.seed());
    const auto& heads = hostile_heads();
    RequestHead head;
    for (int round = 0; round < 60000; ++round) {
        const std::string text = random.mutated(heads[random.below(heads.size())].bytes);
        const std::vector<char> bytes(text.begin(), text.end());
        if (parse_request_head({bytes.data(), bytes.size()}, {}, head)) continue;
        CAPTURE(text);
        REQUIRE(text.find('\0') == std::string::npos);
        REQUIRE_FALSE(head.path_and_query.empty());
        REQUIRE((head.path.front() == '/' || head.path == "*"));
        REQUIRE((head.version == Version::http10 || !head.authority.empty()));
        HeadScan scan;
        REQUIRE(scan_head(text, scan) == ScanResult::complete);
        REQUIRE(scan.looked_at == text.size());
        for (const Field& field : head.fields) {
            REQUIRE_FALSE(field.name.empty());
            REQUIRE(field.name.find_first_of(" \t:\r\n") == std::string_view::npos);
            REQUIRE(field.value.find_first_of("\r\n") == std::string_view::npos);
        }
    }
}
