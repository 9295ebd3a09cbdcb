#include "cli/config_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "config/field_table.h"

namespace weir::cli {

namespace {

bool has_line(const std::string& line) {
    return config_table().find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("every row of the language has a row with four columns") {
    const std::string table = config_table();
    const auto rows = static_cast<size_t>(std::count(table.begin(), table.end(), '\n')) - 2;
    CHECK(rows == config::fields().size());
    size_t start = 0;
    while (start < table.size()) {
        const size_t end = table.find('\n', start);
        const std::string line = table.substr(start, end - start);
        CAPTURE(line);
        CHECK(std::count(line.begin(), line.end(), '|') == 5);
        CHECK(std::count(line.begin(), line.end(), '`') % 2 == 0);
        start = end + 1;
    }
}

TEST_CASE(
    "a row says what is allowed in the words of the file, and what is typed stands between backquotes") {
    CHECK(
        has_line("| `timeout.tunnel` | `1h` | `1ms` to `7d` | Silence after which an upgraded connection "
                 "(WebSocket) is closed; total and stall do not hold for it. |"));
    CHECK(
        has_line("| `listen` | must be given | 1 to 64 maps, or `address` alone | Where clients connect: an "
                 "address, or a list of addresses or maps. |"));
    CHECK(has_line(
        "| `upstream.host` | `~` | a host, `host:port`, `~` | The Host sent to the app; `~` passes the "
        "client's on. |"));
    CHECK(
        has_line("| `routes[].params.query.NAME.required` | `false` | `true`, `false` | Whether a request "
                 "without it is refused. |"));
    CHECK(has_line("| `limits` |  | a map | How often, how many at once, and what a request may be. |"));
}

}  // namespace weir::cli
