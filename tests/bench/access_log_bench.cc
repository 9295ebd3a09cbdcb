// Prints what one access-log line costs. Build with -O2; arguments: none.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/clock.h"
#include "proxy/access_log.h"

namespace {

using Append = void (*)(const weir::proxy::AccessRecord&, std::string&);

weir::proxy::AccessRecord browser_record() {
    weir::proxy::AccessRecord record;
    record.time = weir::wall_now();
    record.client_address = "203.0.113.195";
    record.request_id = "8f14e45fceea167a5a36dedd4bea2543";
    record.method = "GET";
    record.target = "/api/v1/documents/8817?page=3&page_size=20&sort=-created_at";
    record.protocol = "HTTP/1.1";
    record.host = "app.example.com";
    record.user_agent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
        "Safari/537.36";
    record.referer = "https://app.example.com/documents?page=2";
    record.server = "127.0.0.1:5000";
    record.status = 200;
    record.request_bytes = 0;
    record.response_bytes = 4711;
    record.connect = std::chrono::microseconds(81);
    record.first_byte = std::chrono::microseconds(12345);
    record.total = std::chrono::microseconds(12901);
    return record;
}

weir::proxy::AccessRecord probe_record() {
    auto record = browser_record();
    record.target = "/fast";
    record.user_agent = {};
    record.referer = {};
    return record;
}

weir::proxy::AccessRecord telling_record() {
    auto record = browser_record();
    record.target =
        "/callback?state=af0ifjsldkj&code=SplxlOBeZQQYbYS6WxSbIA&session_token=eyJhbGciOiJIUzI1NiJ9";
    return record;
}

void measure(const char* name, Append append, weir::proxy::AccessRecord record) {
    constexpr int kRounds = 7;
    constexpr int kLines = 200'000;
    std::string lines;
    lines.reserve(weir::proxy::AccessLog::kFlushBytes + weir::proxy::kMaxLineBytes);
    double best = 1e9;
    size_t length = 0;
    for (int round = 0; round < kRounds; ++round) {
        const auto begin = weir::monotonic_now();
        for (int i = 0; i < kLines; ++i) {
            record.time += std::chrono::microseconds(10);
            const size_t before = lines.size();
            append(record, lines);
            length = lines.size() - before;
            if (lines.size() >= weir::proxy::AccessLog::kFlushBytes) lines.clear();
        }
        const std::chrono::duration<double, std::nano> spent = weir::monotonic_now() - begin;
        best = std::min(best, spent.count() / kLines);
    }
    std::printf("%-24s %7.1f ns a line of %zu bytes\n", name, best, length);
}

}  // namespace

int main() {
    measure("json, browser", weir::proxy::append_json_line, browser_record());
    measure("json, secrets", weir::proxy::append_json_line, telling_record());
    measure("json, no agent", weir::proxy::append_json_line, probe_record());
    measure("combined, browser", weir::proxy::append_combined_line, browser_record());
    return 0;
}
