#include "proxy/kit.h"

#include <doctest/doctest.h>

#include "proxy/worker_parts.h"

namespace weir::proxy {

TEST_CASE("while memory is short less is read at a time, but not nothing") {
    WorkerParts parts;
    Kit& kit = parts.kit();
    CHECK(kit.read_room().size() == Kit::kSlabBytes);
    Block block = kit.blocks.take(BlockPool::kSmallest);
    parts.budget->set_limit(BlockPool::kSmallest);
    CHECK(kit.read_room().size() == Kit::kPressedReadBytes);
    block.reset();
    CHECK(kit.read_room().size() == Kit::kSlabBytes);
}

TEST_CASE("a blank head says nothing of the one before and keeps its memory") {
    WorkerParts parts;
    Kit& kit = parts.kit();
    http::RequestHead& request = kit.blank_request();
    request.target = "/secret";
    request.keep_alive = false;
    request.fields.assign(20, {.name = "A", .value = "b"});
    const size_t capacity = request.fields.capacity();
    http::RequestHead& blank = kit.blank_request();
    CHECK(blank.target.empty());
    CHECK(blank.keep_alive);
    CHECK(blank.fields.empty());
    CHECK(blank.fields.capacity() == capacity);

    http::ResponseHead& response = kit.blank_response(404);
    response.chunked = true;
    response.content_length = 7;
    response.fields.assign(20, {.name = "A", .value = "b"});
    const http::ResponseHead& blank_response = kit.blank_response(200);
    CHECK(blank_response.status == 200);
    CHECK_FALSE(blank_response.chunked);
    CHECK_FALSE(blank_response.content_length.has_value());
    CHECK(blank_response.fields.empty());
}

}  // namespace weir::proxy
