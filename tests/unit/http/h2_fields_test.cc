#include "http/h2_fields.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace weir::http {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const Pairs kGet{{":method", "GET"}, {":scheme", "http"}, {":authority", "a.example"}, {":path", "/x?y=1"}};

Pairs with(Pairs pairs, const Pairs& more) {
    pairs.insert(pairs.end(), more.begin(), more.end());
    return pairs;
}

/// What becomes of a section: the text of its head, and what the parser says of that.
struct Read {
    MaybeFault fault;
    std::string text;
    RequestHead head;

    Read(const Pairs& pairs, bool has_body = false, const HeadLimits& limits = {}) {
        H2Fields fields;
        fields.begin(H2Fields::Kind::request, limits);
        for (const auto& [name, value] : pairs) fields.add(name, value);
        fault = fields.end();
        if (fault) return;
        text.resize(fields.head_bytes());
        fields.write_head(text.data());
        fault = parse_h2_head(text, has_body, limits, head);
    }
    [[nodiscard]] std::string detail() const { return fault ? fault->detail : ""; }
};

MaybeFault trailer_fault(const Pairs& pairs) {
    H2Fields fields;
    fields.begin(H2Fields::Kind::trailers, {});
    for (const auto& [name, value] : pairs) fields.add(name, value);
    return fields.end();
}

}  // namespace

TEST_CASE("a section of HTTP/2 becomes the head that HTTP/1.1 would have") {
    const Read read(with(kGet, {{"accept", "*/*"}, {"x-a", ""}}));
    REQUIRE_FALSE(read.fault);
    CHECK(read.text == "GET /x?y=1 HTTP/1.1\r\nhost: a.example\r\naccept: */*\r\nx-a: \r\n\r\n");
    CHECK(read.head.version == Version::http2);
    CHECK(read.head.method == Method::get);
    CHECK(read.head.target == "/x?y=1");
    CHECK(read.head.path == "/x");
    CHECK(read.head.authority == "a.example");
    CHECK(read.head.body.framing == Framing::none);
    CHECK(read.head.upgrade.empty());
    CHECK(name_of(read.head.version) == "HTTP/2");
}

TEST_CASE("what RFC 9113 calls malformed is refused") {
    struct Row {
        const char* rfc;
        Pairs pairs;
        const char* detail;
    };
    const std::string nul("a\0b", 3);
    const std::vector<Row> rows{
        {"8.2.1", with(kGet, {{"X-A", "b"}}), "a field name is not in lower case"},
        {"8.2.1", with(kGet, {{"", "b"}}), "a field name is empty or holds a byte that no name may hold"},
        {"8.2.1", with(kGet, {{"x a", "b"}}), "a field name is empty or holds a byte that no name may hold"},
        {"8.2.1", with(kGet, {{"x:a", "b"}}), "a field name is empty or holds a byte that no name may hold"},
        {"8.2.1", with(kGet, {{"x\r\na", "b"}}),
         "a field name is empty or holds a byte that no name may hold"},
        {"8.2.1", with(kGet, {{"x", "b\r\nhost: c"}}), "a field value holds a control byte"},
        {"8.2.1", with(kGet, {{"x", "b\n"}}), "a field value holds a control byte"},
        {"8.2.1", with(kGet, {{"x", nul}}), "a field value holds a control byte"},
        {"8.2.1", with(kGet, {{"x", " b"}}), "a field value begins or ends with white space"},
        {"8.2.1", with(kGet, {{"x", "b\t"}}), "a field value begins or ends with white space"},
        {"8.2.2", with(kGet, {{"connection", "close"}}),
         "a field that concerns the connection, which HTTP/2 has not"},
        {"8.2.2", with(kGet, {{"proxy-connection", "close"}}),
         "a field that concerns the connection, which HTTP/2 has not"},
        {"8.2.2", with(kGet, {{"keep-alive", "1"}}),
         "a field that concerns the connection, which HTTP/2 has not"},
        {"8.2.2", with(kGet, {{"transfer-encoding", "chunked"}}),
         "a field that concerns the connection, which HTTP/2 has not"},
        {"8.2.2", with(kGet, {{"upgrade", "websocket"}}),
         "a field that concerns the connection, which HTTP/2 has not"},
        {"8.2.2", with(kGet, {{"te", "gzip"}}), "a TE other than \"trailers\""},
        {"8.2.2", with(kGet, {{"te", "trailers, gzip"}}), "a TE other than \"trailers\""},
        {"8.3", with(kGet, {{"x", "b"}, {":path", "/"}}), "a pseudo-header field behind a field"},
        {"8.3", with(kGet, {{":status", "200"}}), "a pseudo-header field that no request has"},
        {"8.3", with(kGet, {{":protocol", "websocket"}}), "a pseudo-header field that no request has"},
        {"8.3", with(kGet, {{":Path", "/"}}), "a pseudo-header field that no request has"},
        {"8.3", with(kGet, {{":", "/"}}), "a pseudo-header field that no request has"},
        {"8.3", with(kGet, {{":method", "GET"}}), "a pseudo-header field is repeated"},
        {"8.3", with(kGet, {{":scheme", "http"}}), "a pseudo-header field is repeated"},
        {"8.3", with(kGet, {{":authority", "a.example"}}), "a pseudo-header field is repeated"},
        {"8.3.1", {{":scheme", "http"}, {":path", "/"}, {"host", "a"}}, ":method is missing"},
        {"8.3.1", {{":method", "GET"}, {":path", "/"}, {"host", "a"}}, ":scheme is missing"},
        {"8.3.1", {{":method", "GET"}, {":scheme", "http"}, {"host", "a"}}, ":path is missing"},
        {"8.3.1", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, "Host is missing"},
        {"8.3.1", {{":method", "GET"}, {":scheme", "http"}, {":path", ""}}, "a pseudo-header field is empty"},
        {"8.3.1", {{":method", ""}}, "a pseudo-header field is empty"},
        {"8.3.1", {{":scheme", "ftp"}}, "the scheme is neither http nor https"},
        {"8.3.1", {{":scheme", "HTTP"}}, "the scheme is neither http nor https"},
        {"8.3.1", with(kGet, {{"host", "b.example"}}), "Host differs from :authority"},
        {"8.3.1", with(kGet, {{"host", "a.example"}, {"host", "a.example"}}), "more than one Host"},
        {"8.3.1",
         {{":method", "GET"}, {":scheme", "http"}, {":path", "http://a/"}, {":authority", "a"}},
         ":path is not a path"},
        {"8.3.1",
         {{":method", "GET"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}},
         ":path is not a path"},
        {"8.3.1",
         {{":method", "GET"}, {":scheme", "http"}, {":path", "/ HTTP/1.1\r\nx: y"}, {":authority", "a"}},
         "a pseudo-header field holds white space or a control byte"},
        {"8.3.1",
         {{":method", "GET /x HTTP/1.1\r\n"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
         "a pseudo-header field holds white space or a control byte"},
        {"8.3.1",
         {{":method", "G(T"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
         "the method is not a token"},
        {"8.3.1",
         {{":method", "GET"}, {":scheme", "http"}, {":path", "/a#b"}, {":authority", "a"}},
         "the target has a fragment"},
        {"8.3.1",
         {{":method", "GET"}, {":scheme", "http"}, {":path", "/\xc3\xa4"}, {":authority", "a"}},
         "the target holds a byte that must be percent-encoded"},
        {"8.3.1",
         {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u:p@a"}},
         "the value of Host is not valid"},
        {"8.5",
         {{":method", "CONNECT"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}},
         "a CONNECT with other pseudo-header fields than :authority"},
        {"8.1.1", with(kGet, {{"content-length", "5"}}), "the request ends before its Content-Length"},
        {"8.1.1", with(kGet, {{"content-length", "x"}}), "Content-Length is not a number of bytes"},
        {"8.1.1", with(kGet, {{"content-length", "1"}, {"content-length", "1"}}),
         "more than one Content-Length"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.rfc);
        CAPTURE(row.detail);
        const Read read(row.pairs);
        REQUIRE(read.fault);
        CHECK(read.detail() == row.detail);
        CHECK(read.fault->reason == Reason::bad_request);
    }
}

TEST_CASE("without :authority the Host field tells, and an equal one is no contradiction") {
    const Read alone(
        {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"x", "y"}, {"host", "b:81"}});
    REQUIRE_FALSE(alone.fault);
    CHECK(alone.head.authority == "b:81");
    const Read both(with(kGet, {{"host", "A.Example"}}));
    REQUIRE_FALSE(both.fault);
    CHECK(both.head.authority == "a.example");
}

TEST_CASE("crumbs of cookies become one line, wherever they stood") {
    const Read read(with(kGet, {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}}));
    REQUIRE_FALSE(read.fault);
    CHECK(read.text.ends_with("\r\nx: y\r\ncookie: a=1; b=2; c=3\r\n\r\n"));
}

TEST_CASE("a body without a length ends with its stream") {
    CHECK(Read(kGet, true).head.body.framing == Framing::chunked);
    const Read sized(with(kGet, {{"content-length", "7"}}), true);
    CHECK(sized.head.body.framing == Framing::length);
    CHECK(sized.head.body.length == 7);
    const Read empty(with(kGet, {{"content-length", "0"}}), false);
    CHECK_FALSE(empty.fault);
}

TEST_CASE("what HTTP/1.1 is refused for is refused with the same reason") {
    CHECK(Read({{":method", "CONNECT"}, {":authority", "a:1"}}).fault->reason == Reason::not_implemented);
    const std::string method(33, 'A');
    const Pairs unknown{{":method", method}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
    CHECK(Read(unknown).fault->reason == Reason::not_implemented);
    CHECK(Read(with(kGet, {{"expect", "the-moon"}})).fault->reason == Reason::expectation_failed);
    CHECK(Read(with(kGet, {{"expect", "100-continue"}}), true).head.expect_continue);
    CHECK(Read(with(kGet, {{"te", "trailers"}})).head.te_trailers);
    CHECK(
        Read({{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "a"}}).head.path ==
        "*");
}

TEST_CASE("sections up to the limits pass, and one byte or field more does not") {
    const HeadLimits limits{.head_bytes = 300, .fields = 4, .uri_bytes = 40};
    for (const size_t more : {0U, 1U}) {
        CAPTURE(more);
        const auto check = [&](const Pairs& pairs, Reason reason) {
            const Read read(pairs, false, limits);
            CHECK(read.fault.has_value() == (more == 1));
            if (read.fault) CHECK(read.fault->reason == reason);
        };
        const std::string path = "/" + std::string(39 + more, 'p');
        check({{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", path}},
              Reason::uri_too_long);
        // "GET /x?y=1 HTTP/1.1", "host: a.example", "x: ", their CRLFs and the empty line.
        const size_t rest = std::string_view("GET /x?y=1 HTTP/1.1\r\nhost: a.example\r\nx: \r\n\r\n").size();
        check(with(kGet, {{"x", std::string(300 - rest + more, 'v')}}), Reason::header_too_large);
        const size_t crumb =
            std::string_view("GET /x?y=1 HTTP/1.1\r\nhost: a.example\r\ncookie: ; \r\n\r\n").size();
        check(
            with(kGet, {{"cookie", std::string(100, 'v')}, {"cookie", std::string(200 - crumb + more, 'v')}}),
            Reason::header_too_large);
        Pairs fields = kGet;
        for (size_t i = 0; i < 3 + more; ++i) fields.emplace_back("x", "y");
        check(fields, Reason::header_too_large);
    }
}

TEST_CASE("fields beyond the limit are counted and not kept") {
    H2Fields fields;
    fields.begin(H2Fields::Kind::request, {.head_bytes = 1000});
    fields.add("x", std::string(2000, 'v'));
    CHECK(fields.list_bytes() == 1 + 2000 + H2Fields::kFieldOverhead);
    for (int i = 0; i < 1000; ++i) fields.add("cookie", std::string(4000, 'c'));
    CHECK(fields.list_bytes() > 4'000'000);
    CHECK(fields.head_bytes() < 1000);
    REQUIRE(fields.end());
    CHECK(fields.end()->reason == Reason::header_too_large);
}

TEST_CASE("nothing of one section is left in the next") {
    H2Fields fields;
    fields.begin(H2Fields::Kind::request, {});
    for (const auto& [name, value] : with(kGet, {{"cookie", "a"}, {"X", "b"}})) fields.add(name, value);
    CHECK(fields.end());
    fields.begin(H2Fields::Kind::request, {});
    for (const auto& [name, value] : kGet) fields.add(name, value);
    CHECK_FALSE(fields.end());
    std::string text(fields.head_bytes(), '\0');
    fields.write_head(text.data());
    CHECK(text == "GET /x?y=1 HTTP/1.1\r\nhost: a.example\r\n\r\n");
}

TEST_CASE("trailers are field lines, and neither pseudo-header fields nor of the connection") {
    H2Fields fields;
    fields.begin(H2Fields::Kind::trailers, {});
    fields.add("grpc-status", "0");
    fields.add("cookie", "a=b");
    CHECK_FALSE(fields.end());
    CHECK(fields.trailers() == "grpc-status: 0\r\ncookie: a=b\r\n");
    CHECK(trailer_fault({{":path", "/"}}));
    CHECK(trailer_fault({{"connection", "close"}}));
    CHECK(trailer_fault({{"X", "y"}}));
    CHECK(trailer_fault({{"x", "y\r\nz: 1"}}));
    CHECK_FALSE(trailer_fault({{"x", std::string(8000, 'v')}}));
    CHECK(trailer_fault({{"x", std::string(8192, 'v')}})->reason == Reason::header_too_large);
}

/// Whatever the pairs, the text that is parsed has no line that no pair accounts for.
TEST_CASE("no choice of names and values makes a head with other fields than were given") {
    const auto seed = std::random_device()();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const std::string alphabet("ab:/ \r\n\0\tAZ#@?,;=\x80", 18);
    const auto text = [&](size_t most) {
        std::string made(random() % (most + 1), '\0');
        for (char& c : made) c = alphabet[random() % alphabet.size()];
        return made;
    };
    size_t sound = 0;
    for (int round = 0; round < 20000; ++round) {
        Pairs pairs = kGet;
        if (random() % 2 == 0) pairs[3].second = "/" + text(6);
        if (random() % 4 == 0) pairs[2].second = "a" + text(3);
        const size_t extra = random() % 3;
        for (size_t i = 0; i < extra; ++i) pairs.emplace_back("a" + text(2), text(4));
        const Read read(pairs);
        if (read.fault) continue;
        ++sound;
        REQUIRE(read.head.fields.size() == 1 + extra);
        REQUIRE(read.head.target == pairs[3].second);
        REQUIRE(read.head.authority == pairs[2].second);
        for (size_t i = 0; i < extra; ++i) {
            REQUIRE(read.head.fields[i + 1].name == pairs[4 + i].first);
            REQUIRE(read.head.fields[i + 1].value == pairs[4 + i].second);
        }
    }
    CHECK(sound > 100);
}

}  // namespace weir::http
