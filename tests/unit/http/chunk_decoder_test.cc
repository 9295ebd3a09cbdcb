#include "http/chunk_decoder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "random_source.h"

using namespace weir::http;

namespace {

struct Decoded {
    bool done = false;
    bool failed = false;
    std::string payload;
    std::string trailers;
    size_t consumed = 0;
    size_t fault_offset = 0;
    std::string fault;

    bool operator==(const Decoded&) const = default;
};

/// Decodes `body`, of which at most `piece(rest)` bytes arrive at a time.
template <class Piece>
Decoded decode(const std::string& body, Piece piece) {
    ChunkDecoder decoder;
    Decoded out;
    while (out.consumed < body.size() && !decoder.done() && !decoder.failed()) {
        const size_t size = std::min(piece(), body.size() - out.consumed);
        const auto from = body.begin() + static_cast<ptrdiff_t>(out.consumed);
        const std::vector<char> arrived(from, from + static_cast<ptrdiff_t>(size));
        for (size_t used = 0; used < size && !decoder.done() && !decoder.failed();) {
            const ChunkDecoder::Step step = decoder.next({arrived.data() + used, size - used});
            out.payload += step.payload;
            used += step.consumed;
            out.consumed += step.consumed;
            REQUIRE((step.consumed != 0 || decoder.failed()));
        }
    }
    out.done = decoder.done();
    out.failed = decoder.failed();
    out.trailers = decoder.trailers();
    if (out.failed) {
        out.fault = decoder.fault().detail;
        out.fault_offset = decoder.fault().offset;
    }
    return out;
}

Decoded decode_whole(const std::string& body) {
    return decode(body, [&] { return body.size(); });
}

void check_refused(const std::string& body, size_t offset) {
    CAPTURE(body);
    const Decoded decoded = decode_whole(body);
    CHECK(decoded.failed);
    CHECK(decoded.fault_offset == offset);
    CHECK_FALSE(decoded.done);
}

/// A decoder as plain as can be, for bodies without trailers and extensions: the payload, or nullopt where
/// the body is incomplete or malformed.
std::optional<std::string> decode_naively(const std::string& body) {
    std::string payload;
    for (size_t at = 0;;) {
        const size_t line_end = body.find("\r\n", at);
        if (line_end == std::string::npos) return std::nullopt;
        const std::string digits = body.substr(at, line_end - at);
        const bool is_hex = digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
        if (digits.empty() || digits.size() > 16 || !is_hex) return std::nullopt;
        const uint64_t size = std::stoull(digits, nullptr, 16);
        at = line_end + 2;
        if (size == 0) return body.compare(at, 2, "\r\n") == 0 ? std::optional(payload) : std::nullopt;
        if (size > body.size() - at || body.compare(at + size, 2, "\r\n") != 0) return std::nullopt;
        payload += body.substr(at, size);
        at += size + 2;
    }
}

std::string random_body(RandomSource& random) {
    std::string body;
    for (size_t chunks = random.below(4); chunks > 0; --chunks) {
        const std::string data = "x" + random.text(random.one_in(4) ? 300 : 12, "ab\r\n0");
        char head[kMaxChunkHead];
        body += std::string(random.below(3), '0') + std::string(head, write_chunk_head(data.size(), head)) +
                data + "\r\n";
    }
    return body + "0\r\n\r\n";
}

}  // namespace

TEST_CASE("chunks are joined to the payload, and what follows the body is left alone") {
    const Decoded decoded = decode_whole("5\r\nhello\r\n0A\r\n, 10 bytes\r\n0\r\n\r\nGET / HTTP/1.1");
    CHECK(decoded.done);
    CHECK(decoded.payload == "hello, 10 bytes");
    CHECK(decoded.consumed == 31);
    CHECK(decoded.trailers.empty());
}

TEST_CASE("a chunk's payload is handed out as one view without being copied") {
    const std::string body = "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n";
    ChunkDecoder decoder;
    const ChunkDecoder::Step step = decoder.next(body);
    CHECK(step.payload.data() == body.data() + 5);
    CHECK(step.payload.size() == 1000);
    CHECK(step.consumed == 1005);
}

TEST_CASE("extensions are skipped, up to their bound") {
    CHECK(decode_whole("1;a=b;c=\"d e\"\r\nx\r\n0;z\r\n\r\n").payload == "x");
    CHECK(decode_whole("1;" + std::string(256, 'a') + "\r\nx\r\n0\r\n\r\n").done);
    check_refused("1;" + std::string(257, 'a') + "\r\nx\r\n0\r\n\r\n", 258);
    check_refused("1;" + std::string(200, 'a') + std::string(57, 'b'), 258);
    const std::string long_twice = "1;" + std::string(200, 'a') + "\r\nx\r\n";
    CHECK(decode_whole(long_twice + long_twice + "0\r\n\r\n").payload == "xx");
}

TEST_CASE("trailers are checked and kept without the empty line") {
    const Decoded decoded = decode_whole("0\r\nX-Sum: abc\r\nY:\r\n\r\nnext");
    CHECK(decoded.done);
    CHECK(decoded.trailers == "X-Sum: abc\r\nY:\r\n");
    CHECK(decoded.consumed == 21);
    check_refused("0\r\nX : y\r\n\r\n", 4);
    check_refused("0\r\nX: y\r\n z\r\n\r\n", 9);
    check_refused("0\r\nX: y\n\r\n", 7);
    check_refused("0\r\n\n", 3);
    check_refused("0\r\n: y\r\n\r\n", 3);
    check_refused("0\r\nX: a\rb\r\n\r\n", 7);
    check_refused("0\r\nX: " + std::string(8200, 'a'), 3 + ChunkDecoder::kMaxTrailerBytes);
}

TEST_CASE("sizes are plain hexadecimal digits and bounded") {
    CHECK(decode_whole("0000000000000001\r\nx\r\n0000\r\n\r\n").payload == "x");
    check_refused("00000000000000001\r\nx\r\n0\r\n\r\n", 16);
    CHECK_FALSE(decode_whole("4000000000000000\r\nx").failed);
    check_refused("4000000000000001\r\nx", 15);
    check_refused("ffffffffffffffff\r\nx", 15);
    check_refused("10000000000000000\r\nx", 16);
    for (const char* start :
         {"\r\n", " 1\r\n", "\t1\r\n", "-1\r\n", "+1\r\n", "g\r\n", ";a\r\n", "\n", "\x80\r\n"}) {
        check_refused(start, 0);
    }
    for (const char* start :
         {"0x1\r\n", "1 \r\n", "1\t\r\n", "1 ;a\r\n", "1\n", "1_0\r\n", "1.\r\n", "1,\r\n"}) {
        check_refused(start, 1);
    }
    check_refused("1\r\rx", 2);
    check_refused("1\rx", 2);
}

TEST_CASE("line ends are exact: no bare LF or CR hides in an extension or behind the data") {
    check_refused("1;a\nx\r\n0\r\n\r\n", 3);
    check_refused("1;a\rx\r\n", 4);
    check_refused(std::string("1;a\0\r\n", 6), 3);
    check_refused("1;a\tb\r\n", 3);
    check_refused("1;a\x7f\r\n", 3);
    check_refused("1\r\nxx\r\n0\r\n\r\n", 4);
    check_refused("1\r\nx\n0\r\n\r\n", 4);
    check_refused("1\r\nx\r0\r\n\r\n", 5);
    check_refused("1\r\nx0\r\n\r\n", 4);
}

TEST_CASE("an unfinished body is neither done nor failed") {
    const std::string body = "2\r\nab\r\n0\r\nX: y\r\n\r\n";
    for (size_t size = 0; size < body.size(); ++size) {
        const Decoded decoded = decode_whole(body.substr(0, size));
        CHECK_FALSE(decoded.done);
        CHECK_FALSE(decoded.failed);
        CHECK(decoded.consumed == size);
    }
}

TEST_CASE("payload, verdict and bytes consumed are the same for every split") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 4000; ++round) {
        std::string body = random_body(random);
        if (random.one_in(2)) body.insert(body.size() - 2, "X: y\r\nZ: " + random.text(30, "ab c") + "\r\n");
        if (random.one_in(2)) body = random.mutated(body);
        body += "tail";
        CAPTURE(body);
        const Decoded expected = decode_whole(body);
        const size_t longest = 1 + random.below(20);
        REQUIRE(decode(body, [&] { return 1 + random.below(longest); }) == expected);
        REQUIRE(decode(body, [] { return size_t{1}; }) == expected);
    }
}

TEST_CASE("sound bodies decode as a naive decoder decodes them, and no broken one decodes at all") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 20000; ++round) {
        std::string body = random_body(random);
        if (random.one_in(2)) body = random.mutated(body);
        const Decoded decoded = decode_whole(body);
        if (body.find(';') != std::string::npos || !decoded.trailers.empty()) continue;
        CAPTURE(body);
        const auto expected = decode_naively(body);
        REQUIRE(decoded.done == expected.has_value());
        if (expected) REQUIRE(decoded.payload == *expected);
    }
}

TEST_CASE("trailers that frame, route or authenticate are left out, however they are spelled") {
    const std::string section =
        "X-Sum: abc\r\nContent-Length: 5\r\ntransfer_encoding: chunked\r\nHost: b\r\nAuthorization: "
        "x\r\nSET-COOKIE: a\r\n"
        "X-Forwarded-Prefix: /\r\nX-Request-ID: 1\r\nServer-Timing: db;dur=53\r\n";
    const std::vector<Field> fields = parse_trailers(section);
    REQUIRE(fields.size() == 2);
    CHECK(fields[0].name == "X-Sum");
    CHECK(fields[0].value == "abc");
    CHECK(fields[1].name == "Server-Timing");
    CHECK(parse_trailers("").empty());
}

TEST_CASE("chunk heads are written in hexadecimal and fit their bound") {
    char out[kMaxChunkHead];
    CHECK(std::string(out, write_chunk_head(0, out)) == "0\r\n");
    CHECK(std::string(out, write_chunk_head(4096, out)) == "1000\r\n");
    CHECK(std::string(out, write_chunk_head(UINT64_MAX, out)) == "ffffffffffffffff\r\n");
}
