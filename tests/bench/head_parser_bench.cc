// Prints how many nanoseconds the head of one request takes: to find its end, to parse it, to write it anew.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "http/head_parser.h"
#include "http/head_scan.h"
#include "http/head_writer.h"

namespace {

using namespace weir::http;

const std::string kShort = "GET /s128 HTTP/1.1\r\nHost: 127.0.0.1:18001\r\n\r\n";
const std::string kBrowser =
    "GET /documents/42?page=2&page_size=50 HTTP/1.1\r\n"
    "Host: app.example.com\r\n"
    "Connection: keep-alive\r\n"
    "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Referer: https://app.example.com/documents\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n"
    "Content-Type: text/plain\r\nContent-Length: 128\r\n\r\n";

/// The best of several rounds: what disturbs a round only ever makes it slower.
template <class Work>
double nanoseconds_per_call(Work work) {
    constexpr int kCalls = 200000;
    double best = 1e9;
    for (int round = 0; round < 15; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < kCalls; ++i) work();
        const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
        best = std::min(best, spent.count() / kCalls);
    }
    return best;
}

void keep(size_t value) { asm volatile("" : : "r"(value) : "memory"); }

void measure_request(const char* name, const std::string& text) {
    RequestHead head;
    const HeadLimits limits;
    if (parse_request_head(text, limits, head)) return void(std::printf("%s: refused\n", name));
    RequestFacts facts;
    facts.client_address = "192.0.2.7";
    facts.request_id = "0123456789abcdef0123456789abcdef";
    facts.scheme = "http";
    std::vector<char> out(request_head_bound(head, facts));

    const double scalar = nanoseconds_per_call([&] {
        HeadScan scan;
        keep(static_cast<size_t>(scan_head_scalar(text, scan)));
    });
    const double scan = nanoseconds_per_call([&] {
        HeadScan state;
        keep(static_cast<size_t>(scan_head(text, state)));
    });
    const double parse =
        nanoseconds_per_call([&] { keep(parse_request_head(text, limits, head) ? 1U : 0U); });
    const double write = nanoseconds_per_call([&] {
        keep(request_head_bound(head, facts));
        const size_t size = write_request_head(head, facts, out.data());
        keep(write_request_framing(head.method, head.body, out.data() + size));
    });
    std::printf("%-16s %4zu bytes: scan %6.1f ns (scalar %6.1f), parse %6.1f ns, write %6.1f ns\n", name,
                text.size(), scan, scalar, parse, write);
}

void measure_response(const char* name, const std::string& text) {
    ResponseHead head;
    if (parse_response_head(text, head)) return void(std::printf("%s: refused\n", name));
    ResponseFacts facts;
    facts.body = response_body(head, Method::get);
    facts.request_id = "0123456789abcdef0123456789abcdef";
    std::vector<char> out(response_head_bound(head, facts));
    const double parse = nanoseconds_per_call([&] { keep(parse_response_head(text, head) ? 1U : 0U); });
    const double write = nanoseconds_per_call([&] {
        keep(response_head_bound(head, facts));
        keep(write_response_head(head, facts, out.data()));
    });
    std::printf("%-16s %4zu bytes: parse %6.1f ns, write %6.1f ns\n", name, text.size(), parse, write);
}

}  // namespace

int main() {
    std::printf("AVX2: %s\n", scan_uses_avx2() ? "yes" : "no");
    measure_request("short request", kShort);
    measure_request("browser request", kBrowser);
    measure_response("response", kResponse);
    return 0;
}
