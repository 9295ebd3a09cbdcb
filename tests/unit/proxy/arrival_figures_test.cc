#include "proxy/arrival_figures.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace weir::proxy {

namespace {

/// Labels of metrics (lower case and underscores), each its own.
template <class Failure>
void check_names(size_t count) {
    std::set<std::string> names;
    for (size_t index = 0; index < count; ++index) {
        const std::string name(name_of(static_cast<Failure>(index)));
        CHECK_FALSE(name.empty());
        CHECK(
            std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
        names.insert(name);
    }
    CHECK(names.size() == count);
    CHECK(name_of(static_cast<Failure>(count)).empty());  // there are no more
}

}  // namespace

TEST_CASE("each failure has a label of its own, and there are as many as are counted") {
    check_names<HandshakeFailure>(kHandshakeFailures);
    check_names<ProxyHeaderFailure>(kProxyHeaderFailures);
}

TEST_CASE("what TLS tells of a handshake is counted under what it means for clients") {
    using Kind = net::TlsFault::Kind;
    const auto counted = [](Kind kind) { return failure_of({.kind = kind, .cause = "unread"}); };
    CHECK(counted(Kind::untrusted) == HandshakeFailure::untrusted);
    CHECK(counted(Kind::other_name) == HandshakeFailure::untrusted);
    CHECK(counted(Kind::expired) == HandshakeFailure::expired);
    CHECK(counted(Kind::not_yet_valid) == HandshakeFailure::expired);
    CHECK(counted(Kind::not_tls) == HandshakeFailure::not_tls);
    CHECK(counted(Kind::too_old) == HandshakeFailure::too_old);
    CHECK(counted(Kind::no_certificate) == HandshakeFailure::no_certificate);
    CHECK(counted(Kind::unlike) == HandshakeFailure::unlike);
    CHECK(counted(Kind::refused) == HandshakeFailure::refused);
    CHECK(counted(Kind::ended) == HandshakeFailure::ended);
    CHECK(counted(Kind::broken) == HandshakeFailure::broken);
    CHECK(counted(Kind::none) == HandshakeFailure::broken);
}

}  // namespace weir::proxy
