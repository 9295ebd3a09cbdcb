#include "http/reason.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace weir::http;

TEST_CASE("every reason has an error status with a phrase and a slug of its own") {
    std::set<std::string> slugs;
    for (size_t i = 0; i < kReasons; ++i) {
        const ReasonText& text = text_of(static_cast<Reason>(i));
        CAPTURE(text.slug);
        CHECK(text.status >= 400);
        CHECK(text.status <= 599);
        CHECK_FALSE(status_phrase(text.status).empty());
        CHECK(slugs.insert(std::string(text.slug)).second);
    }
    CHECK(text_of(Reason::bad_request).slug == "bad_request");
    CHECK(text_of(Reason::header_too_large).status == 431);
    CHECK(text_of(Reason::draining).status == 503);
    CHECK(text_of(Reason::deadline).status == 504);
}

TEST_CASE("a refusal's status says whose limit it was") {
    CHECK(text_of(Reason::rate_limited).status == 429);
    for (const Reason ours :
         {Reason::queue_full, Reason::queue_timeout, Reason::predicted_wait, Reason::overloaded}) {
        CHECK(text_of(ours).status == 503);
        CHECK(text_of(ours).type == ProblemType::reduced_capacity);
    }
    CHECK(text_of(Reason::rate_limited).type == ProblemType::quota_exceeded);
    CHECK(text_of(Reason::draining).type == ProblemType::about_blank);
}

TEST_CASE("a request that no route takes as it is is told by its status what is wrong with it") {
    CHECK(text_of(Reason::invalid_parameter).status == 400);
    CHECK(text_of(Reason::no_route).status == 404);
    CHECK(text_of(Reason::method_not_allowed).status == 405);
    CHECK(text_of(Reason::unsupported_media_type).status == 415);
    CHECK(text_of(Reason::misdirected).status == 421);
}

TEST_CASE("a status without a standard phrase has an empty one") {
    CHECK(status_phrase(200) == "OK");
    CHECK(status_phrase(429) == "Too Many Requests");
    CHECK(status_phrase(299).empty());
    CHECK(status_phrase(0).empty());
}
