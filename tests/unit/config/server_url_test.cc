#include "config/server_url.h"

#include <doctest/doctest.h>

using namespace weir;
using namespace weir::config;

TEST_CASE("a server is a URL without a path, or a UNIX socket") {
    CHECK(*parse_server_url("http://a") == ServerUrl{{"a", 80, {}}, false});
    CHECK(*parse_server_url("http://a:5000/") == ServerUrl{{"a", 5000, {}}, false});
    CHECK(*parse_server_url("https://a") == ServerUrl{{"a", 443, {}}, true});
    CHECK(*parse_server_url("HTTPS://a:80") == ServerUrl{{"a", 80, {}}, true});
    CHECK(*parse_server_url("https://[::1]") == ServerUrl{{"::1", 443, {}}, true});
    CHECK(*parse_server_url("https://[::1]:8443/") == ServerUrl{{"::1", 8443, {}}, true});
    CHECK(*parse_server_url("unix:/run/app.sock") == ServerUrl{{"", 0, "/run/app.sock"}, false});
    for (const char* text : {"https:/a", "https//a", "https:a", "https:///", "https://a/x", "https://unix:/a",
                             "https://::1", "https://a:", "https://u@a", "unix:a", "unix://a", "a", ""}) {
        CAPTURE(text);
        CHECK_FALSE(parse_server_url(text).has_value());
    }
}
