#include "http/trace_context.h"

#include <doctest/doctest.h>

#include <string>

using weir::http::trace_id_of;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kGood = "00-" + kTrace + "-00f067aa0ba902b7-01";

}  // namespace

TEST_CASE("the trace is what stands between the version and the parent") {
    CHECK(trace_id_of(kGood) == kTrace);
    CHECK(trace_id_of(kGood).data() == kGood.data() + 3);
}

TEST_CASE("a later version may have more behind what is known, the first may not") {
    CHECK(trace_id_of("01" + kGood.substr(2)) == kTrace);
    CHECK(trace_id_of("cc" + kGood.substr(2) + "-what-comes") == kTrace);
    CHECK(trace_id_of("cc" + kGood.substr(2) + ".what-comes").empty());
    CHECK(trace_id_of(kGood + "-more").empty());
    CHECK(trace_id_of("ff" + kGood.substr(2)).empty());
}

TEST_CASE("every byte of it counts: one that is wrong, or missing, makes it no trace") {
    for (size_t at = 0; at < kGood.size(); ++at) {
        CAPTURE(at);
        CHECK(trace_id_of(kGood.substr(0, at)).empty());
        for (const char wrong : {'G', 'A', ' ', '\0', '"', '\n'}) {
            std::string changed = kGood;
            changed[at] = wrong;
            CHECK(trace_id_of(changed).empty());
        }
    }
}

TEST_CASE("an id of zeros is none") {
    CHECK(trace_id_of("00-" + std::string(32, '0') + kGood.substr(35)).empty());
    CHECK(trace_id_of(kGood.substr(0, 36) + std::string(16, '0') + "-01").empty());
}
