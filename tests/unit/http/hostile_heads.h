// Request heads that a careless reader accepts, each beside the verdict it deserves. nullopt: it is sound,
// and stands here as the twin of one that is not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/reason.h"

namespace weir::http {

struct HostileHead {
    const char* name;
    std::string bytes;
    std::optional<Reason> verdict;
};

namespace hostile {

inline constexpr auto kSound = std::nullopt;
inline constexpr Reason kBad = Reason::bad_request;

/// A head whose request line is `line`.
inline std::string line(const std::string& line) { return line + "\r\nHost: a\r\n\r\n"; }
inline std::string target(const std::string& target) { return line("GET " + target + " HTTP/1.1"); }
/// A head with `fields`, which end without CRLF.
inline std::string with(const std::string& fields) {
    return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n\r\n";
}
inline std::string host(const std::string& value) { return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n"; }
inline std::string http10(const std::string& fields) { return "POST / HTTP/1.0\r\n" + fields + "\r\n"; }
inline std::string nul(const std::string& before, const std::string& after) {
    return before + std::string(1, '\0') + after;
}

inline std::vector<HostileHead> request_lines() {
    return {
        {"plain request", line("GET / HTTP/1.1"), kSound},
        {"unknown method", line("PROPFIND / HTTP/1.1"), kSound},
        {"method of all odd tchars", line("!#$%&'*+-.^_`|~ / HTTP/1.1"), kSound},
        {"method in lower case, which apps take for another", line("get / HTTP/1.1"), kBad},
        {"method partly in lower case", line("POSt / HTTP/1.1"), kBad},
        {"unknown method partly in lower case", line("PROPFINd / HTTP/1.1"), kBad},
        {"one CRLF before the request line", "\r\n" + line("GET / HTTP/1.1"), kSound},
        {"two CRLFs before the request line", "\r\n\r\n" + line("GET / HTTP/1.1"), kBad},
        {"space before the method", line(" GET / HTTP/1.1"), kBad},
        {"no method", line("/ HTTP/1.1"), kBad},
        {"colon in the method", line("GE:T / HTTP/1.1"), kBad},
        {"NUL in the method", line(nul("GE", "T / HTTP/1.1")), kBad},
        {"byte past ASCII in the method", line("G\xc3\x89T / HTTP/1.1"), kBad},
        {"method of 32 bytes", line(std::string(32, 'M') + " / HTTP/1.1"), kSound},
        {"method of 33 bytes", line(std::string(33, 'M') + " / HTTP/1.1"), Reason::not_implemented},
        {"two spaces before the target", line("GET  / HTTP/1.1"), kBad},
        {"tab before the target", line("GET\t/ HTTP/1.1"), kBad},
        {"two spaces before the version", line("GET /  HTTP/1.1"), kBad},
        {"tab before the version", line("GET /\tHTTP/1.1"), kBad},
        {"space behind the version", line("GET / HTTP/1.1 "), kBad},
        {"tab behind the version", line("GET / HTTP/1.1\t"), kBad},
        {"more behind the version", line("GET / HTTP/1.1 x"), kBad},
        {"bare CR in the request line", line("GET /\r HTTP/1.1"), kBad},
        {"bare LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", kBad},
        {"two CRs end the request line", line("GET / HTTP/1.1\r"), kBad},
        {"HTTP/0.9 request", "GET /\r\n\r\n", kBad},
        {"empty head", "\r\n\r\n", kBad},
        {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", kSound},
        {"HTTP/1.2", line("GET / HTTP/1.2"), Reason::version_not_supported},
        {"HTTP/2.0", line("GET / HTTP/2.0"), Reason::version_not_supported},
        {"HTTP/0.9 spelled out", line("GET / HTTP/0.9"), Reason::version_not_supported},
        {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", Reason::version_not_supported},
        {"version in lower case", line("GET / http/1.1"), kBad},
        {"version without a point", line("GET / HTTP/11"), kBad},
        {"version with a leading zero", line("GET / HTTP/01.1"), kBad},
        {"version with a long minor", line("GET / HTTP/1.10"), kBad},
        {"version with a comma", line("GET / HTTP/1,1"), kBad},
        {"another protocol", line("GET / ICAP/1.0"), kBad},
        {"version without a minor", line("GET / HTTP/1."), kBad},
    };
}

inline std::vector<HostileHead> targets() {
    return {
        {"path and query", target("/a/b?c=d&e=%20"), kSound},
        {"two slashes at the start", target("//evil.example/"), kSound},
        {"raw characters that browsers send", target("/a?q={\"x\":[1|2]}^`<>\\"), kSound},
        {"asterisk for GET", target("*"), kBad},
        {"asterisk for OPTIONS", line("OPTIONS * HTTP/1.1"), kSound},
        {"asterisk and more for OPTIONS", line("OPTIONS *x HTTP/1.1"), kBad},
        {"relative path", target("a/b"), kBad},
        {"query alone", target("?a"), kBad},
        {"fragment", target("/a#b"), kBad},
        {"fragment alone", target("#"), kBad},
        {"tab in the target", target("/a\tb"), kBad},
        {"space in the target", target("/a b"), kBad},
        {"NUL in the target", target(nul("/a", "b")), kBad},
        {"DEL in the target", target("/a\x7f"), kBad},
        {"byte past ASCII in the target", target("/caf\xc3\xa9"), kBad},
        {"control byte in the target", target("/a\x01"), kBad},
        {"vertical tab for a space", line("GET\x0b/ HTTP/1.1"), kBad},
        {"absolute-form", target("http://a/b"), kSound},
        {"absolute-form, https, upper case", target("HTTPS://A:443/b?c"), kSound},
        {"absolute-form without a path", target("http://a"), kSound},
        {"absolute-form with a query alone", target("http://a?b"), kBad},
        {"absolute-form without an authority", target("http:///b"), kBad},
        {"absolute-form with userinfo", target("http://u:p@a/b"), kBad},
        {"absolute-form with a lone at sign", target("http://@a/b"), kBad},
        {"absolute-form with an empty port", target("http://a:/b"), kBad},
        {"absolute-form with a port out of range", target("http://a:65536/b"), kBad},
        {"absolute-form with a backslash in the host", target("http://a\\b/"), kBad},
        {"absolute-form with a fragment", target("http://a/#b"), kBad},
        {"another scheme", target("ftp://a/b"), kBad},
        {"scheme with one slash", target("http:/a/b"), kBad},
        {"scheme without slashes", target("http:a"), kBad},
        {"authority-form for GET", target("a:80"), kBad},
        {"CONNECT", line("CONNECT a:443 HTTP/1.1"), Reason::not_implemented},
        {"CONNECT with a path", line("CONNECT /a HTTP/1.1"), Reason::not_implemented},
    };
}

inline std::vector<HostileHead> hosts() {
    return {
        {"no Host in HTTP/1.1", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", kBad},
        {"no Host beside an absolute-form target", "GET http://a/ HTTP/1.1\r\n\r\n", kBad},
        {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", kSound},
        {"two Hosts", with("Host: a"), kBad},
        {"two Hosts, other case", with("hOST: b"), kBad},
        {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", kBad},
        {"empty Host", host(""), kBad},
        {"empty Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost:\r\n\r\n", kBad},
        {"invalid Host beside a sound absolute-form target", "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n",
         kBad},
        {"Host with a port", host("a.example:8080"), kSound},
        {"Host with port 65535", host("a:65535"), kSound},
        {"Host with port 65536", host("a:65536"), kBad},
        {"Host with an empty port", host("a:"), kBad},
        {"Host with a port of letters", host("a:http"), kBad},
        {"Host with a signed port", host("a:+80"), kBad},
        {"Host with a port alone", host(":80"), kBad},
        {"Host with two ports", host("a:80:80"), kBad},
        {"Host with an underscore", host("my_app"), kSound},
        {"Host with a sound escape", host("a%2Db"), kSound},
        {"Host with a broken escape", host("a%2"), kBad},
        {"Host with userinfo", host("u@a"), kBad},
        {"Host with a path", host("a/b"), kBad},
        {"Host with a query", host("a?b"), kBad},
        {"Host with a scheme", host("http://a"), kBad},
        {"Host with a space", host("a b"), kBad},
        {"Host as a list", host("a,b"), kBad},
        {"Host past ASCII", host("caf\xc3\xa9"), kBad},
        {"Host of IPv6", host("[2001:db8::1]:80"), kSound},
        {"Host of IPv6 with IPv4 in it", host("[::ffff:192.0.2.1]"), kSound},
        {"Host of IPv6 without brackets", host("2001:db8::1"), kBad},
        {"Host of IPv6 with a zone", host("[fe80::1%25eth0]"), kBad},
        {"Host of IPv6 without its end", host("[::1"), kBad},
        {"Host of IPv6 with two gaps", host("[1::2::3]"), kBad},
        {"Host of IPv6 with nine groups", host("[1:2:3:4:5:6:7:8:9]"), kBad},
        {"Host of IPv6 with five digits", host("[12345::]"), kBad},
        {"Host of IPv6 and letters behind it", host("[::1]a"), kBad},
        {"Host of nothing in brackets", host("[]"), kBad},
        {"Host of a future address", host("[v1.a]"), kBad},
    };
}

inline std::vector<HostileHead> field_lines() {
    return {
        {"empty value", with("X:"), kSound},
        {"value of white space alone", with("X: \t "), kSound},
        {"value without a space before it", with("X:y"), kSound},
        {"value past ASCII", with("X: caf\xc3\xa9"), kSound},
        {"tab inside a value", with("X: a\tb"), kSound},
        {"folded value", with("X: a\r\n b"), kBad},
        {"folded value with a tab", with("X: a\r\n\tb"), kBad},
        {"white space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", kBad},
        {"space before the colon", with("X : a"), kBad},
        {"tab before the colon", with("X\t: a"), kBad},
        {"space before Content-Length's colon", with("Content-Length : 5"), kBad},
        {"space inside a name", with("X Y: a"), kBad},
        {"no name", with(": a"), kBad},
        {"no colon", with("Xa"), kBad},
        {"bracket in a name", with("X[]: a"), kBad},
        {"quote in a name", with("\"X\": a"), kBad},
        {"byte past ASCII in a name", with("X\xc3\x89: a"), kBad},
        {"soft hyphen in Transfer-Encoding",
         with("Transfer\xad"
              "Encoding: chunked"),
         kBad},
        {"NUL in a name", with(nul("X", "Y: a")), kBad},
        {"NUL in a value", with(nul("X: a", "b")), kBad},
        {"NUL at the end of a value", with(nul("X: a", "")), kBad},
        {"DEL in a value", with("X: a\x7f"), kBad},
        {"control byte in a value", with("X: a\x01z"), kBad},
        {"vertical tab in a value",
         with("X: \x0b"
              "chunked"),
         kBad},
        {"bare CR in a value", with("X: a\rb"), kBad},
        {"bare CR that looks like a field", with("X: a\rTransfer-Encoding: chunked"), kBad},
        {"bare CR at the end of a value", with("X: a\r"), kBad},
        {"bare LF between fields", with("X: a\nY: b"), kBad},
        {"bare LF behind a name", with("X\n: a"), kBad},
        {"bare CR as a line", with("\rX: a"), kBad},
    };
}

inline std::vector<HostileHead> framing() {
    return {
        {"Content-Length", with("Content-Length: 5"), kSound},
        {"Content-Length of zero", with("Content-Length: 0"), kSound},
        {"Content-Length with leading zeros", with("Content-Length: 007"), kSound},
        {"largest Content-Length", with("Content-Length: 9223372036854775807"), kSound},
        {"Content-Length past 2^63", with("Content-Length: 9223372036854775808"), kBad},
        {"Content-Length past 2^64", with("Content-Length: 18446744073709551621"), kBad},
        {"empty Content-Length", with("Content-Length:"), kBad},
        {"negative Content-Length", with("Content-Length: -5"), kBad},
        {"Content-Length with a plus", with("Content-Length: +5"), kBad},
        {"hexadecimal Content-Length", with("Content-Length: 0x5"), kBad},
        {"fractional Content-Length", with("Content-Length: 5.0"), kBad},
        {"Content-Length with a space inside", with("Content-Length: 5 5"), kBad},
        {"Content-Length with an underscore", with("Content-Length: 1_0"), kBad},
        {"Content-Length in quotes", with("Content-Length: \"5\""), kBad},
        {"Content-Length as a list", with("Content-Length: 5, 5"), kBad},
        {"two equal Content-Lengths", with("Content-Length: 5\r\nContent-Length: 5"), kBad},
        {"two different Content-Lengths", with("Content-Length: 5\r\ncontent-length: 6"), kBad},
        {"chunked", with("Transfer-Encoding: chunked"), kSound},
        {"chunked before a tab", with("Transfer-Encoding: chunked\t"), kBad},
        {"chunked behind a tab", with("Transfer-Encoding:\tchunked"), kBad},
        {"Content-Length before a tab", with("Content-Length: 5 \t"), kBad},
        {"a tab around another value", with("X-Note:\ta\t"), kSound},
        {"chunked in upper case", with("Transfer-Encoding: CHUNKED"), kSound},
        {"chunked beside Content-Length", with("Content-Length: 5\r\nTransfer-Encoding: chunked"), kBad},
        {"Content-Length behind chunked", with("Transfer-Encoding: chunked\r\nContent-Length: 5"), kBad},
        {"chunked twice in one field", with("Transfer-Encoding: chunked, chunked"), kBad},
        {"chunked twice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), kBad},
        {"chunked behind identity", with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), kBad},
        {"gzip, chunked", with("Transfer-Encoding: gzip, chunked"), kBad},
        {"chunked, identity", with("Transfer-Encoding: chunked, identity"), kBad},
        {"identity", with("Transfer-Encoding: identity"), kBad},
        {"xchunked", with("Transfer-Encoding: xchunked"), kBad},
        {"chunked in quotes", with("Transfer-Encoding: \"chunked\""), kBad},
        {"chunked with a parameter", with("Transfer-Encoding: chunked;a=b"), kBad},
        {"chunked and a comma", with("Transfer-Encoding: chunked,"), kBad},
        {"empty Transfer-Encoding", with("Transfer-Encoding:"), kBad},
        {"folded Transfer-Encoding", with("Transfer-Encoding:\r\n chunked"), kBad},
        {"Content-Length in HTTP/1.0", http10("Content-Length: 5\r\n"), kSound},
        {"chunked in HTTP/1.0", http10("Transfer-Encoding: chunked\r\n"), kBad},
    };
}

inline std::vector<HostileHead> connection_and_expect() {
    std::string many = "Connection: a";
    for (int i = 1; i < 32; ++i) many += ",a";
    return {
        {"Connection with sound members", with("Connection: keep-alive, , Upgrade"), kSound},
        {"empty Connection", with("Connection:"), kSound},
        {"Connection with a space in a member", with("Connection: keep alive"), kBad},
        {"Connection with a quoted member", with("Connection: \"close\""), kBad},
        {"Connection with a semicolon", with("Connection: close;x"), kBad},
        {"Connection with 32 members", with(many), kSound},
        {"Connection with 33 members", with(many + ",a"), kBad},
        {"33 members in two Connections", with(many + "\r\nConnection: close"), kBad},
        {"Expect", with("Expect: 100-Continue"), kSound},
        {"another Expect", with("Expect: 200-ok"), Reason::expectation_failed},
        {"empty Expect", with("Expect:"), Reason::expectation_failed},
        {"Expect as a list", with("Expect: 100-continue, x"), Reason::expectation_failed},
    };
}

}  // namespace hostile

inline const std::vector<HostileHead>& hostile_heads() {
    static const std::vector<HostileHead> all = [] {
        std::vector<HostileHead> heads;
        for (const auto& part :
             {hostile::request_lines(), hostile::targets(), hostile::hosts(), hostile::field_lines(),
              hostile::framing(), hostile::connection_and_expect()}) {
            heads.insert(heads.end(), part.begin(), part.end());
        }
        return heads;
    }();
    return all;
}

}  // namespace weir::http
