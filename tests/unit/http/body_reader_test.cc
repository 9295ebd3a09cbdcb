#include "http/body_reader.h"

#include <doctest/doctest.h>

using namespace weir::http;

TEST_CASE("a message without a body is done before anything arrives, and takes nothing") {
    BodyReader reader;
    CHECK(reader.done());
    CHECK(reader.next("abc").consumed == 0);
    CHECK(reader.close());
}

TEST_CASE("a body of known length takes that many bytes, over however many pieces") {
    BodyReader reader(Body{Framing::length, 5});
    CHECK_FALSE(reader.done());
    CHECK(reader.next("abc").payload == "abc");
    CHECK_FALSE(reader.done());
    CHECK(reader.payload_bytes() == 3);
    const ChunkDecoder::Step step = reader.next("defgh");
    CHECK(step.payload == "de");
    CHECK(step.consumed == 2);
    CHECK(reader.done());
    CHECK(reader.payload_bytes() == 5);
    CHECK(reader.next("x").consumed == 0);
    CHECK(BodyReader(Body{Framing::length, 0}).done());
}

TEST_CASE("only a body that is read until the close ends properly with it") {
    BodyReader by_length(Body{Framing::length, 5});
    CHECK_FALSE(by_length.close());
    BodyReader chunked(Body{Framing::chunked, 0});
    chunked.next("1\r\nx\r\n");
    CHECK_FALSE(chunked.close());
    BodyReader until_close(Body{Framing::until_close, 0});
    CHECK(until_close.next("abc").payload == "abc");
    CHECK_FALSE(until_close.done());
    CHECK(until_close.close());
    CHECK(until_close.done());
    CHECK(until_close.next("x").consumed == 0);
}

TEST_CASE("a chunked body counts its payload, and tells its trailers and faults") {
    BodyReader reader(Body{Framing::chunked, 0});
    CHECK(reader.next("2\r\nab\r\n").payload == "ab");
    CHECK(reader.next("\r\n0\r\nX: y\r\n\r\n").payload.empty());
    CHECK(reader.done());
    CHECK(reader.payload_bytes() == 2);
    CHECK(reader.trailers() == "X: y\r\n");

    reader = BodyReader(Body{Framing::chunked, 0});
    CHECK_FALSE(reader.done());
    CHECK(reader.trailers().empty());
    reader.next("z");
    CHECK(reader.failed());
    CHECK(reader.fault().reason == Reason::bad_request);
}
