#include "http/head_scan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "http/byte_scan.h"
#include "random_source.h"

using namespace weir::http;

namespace {

struct Outcome {
    ScanResult result = ScanResult::incomplete;
    HeadScan scan;

    bool operator==(const Outcome& other) const {
        return result == other.result && scan.looked_at == other.scan.looked_at &&
               scan.line_start == other.scan.line_start;
    }
};

using Scanner = ScanResult (*)(std::string_view, HeadScan&);

/// Shows the scanner the first byte counts of `ends` one after the other, as they would arrive.
Outcome scan_pieces(Scanner scanner, const std::string& bytes, const std::vector<size_t>& ends) {
    Outcome outcome;
    for (const size_t end : ends) {
        // A copy of the exact size, so that the sanitizer sees a byte read too many.
        const std::vector<char> arrived(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(end));
        outcome.result = scanner({arrived.data(), arrived.size()}, outcome.scan);
        if (outcome.result != ScanResult::incomplete) break;
    }
    return outcome;
}

Outcome scan_whole(Scanner scanner, const std::string& bytes) {
    return scan_pieces(scanner, bytes, {bytes.size()});
}

void check_result(const std::string& bytes, ScanResult result, size_t looked_at) {
    CAPTURE(bytes);
    for (const Scanner scanner : {&scan_head, &scan_head_scalar}) {
        const Outcome outcome = scan_whole(scanner, bytes);
        CHECK(outcome.result == result);
        CHECK(outcome.scan.looked_at == looked_at);
    }
}

}  // namespace

TEST_CASE("a head ends behind its first empty line, and what follows is left alone") {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    check_result(head, ScanResult::complete, head.size());
    check_result(head + "GET /next HTTP/1.1\r\n\r\n" + std::string(200, 'x'), ScanResult::complete,
                 head.size());
    check_result(head.substr(0, head.size() - 1), ScanResult::incomplete, head.size() - 1);
    check_result("", ScanResult::incomplete, 0);
}

TEST_CASE("one empty line before the request line is not the end, a second one is") {
    const std::string head = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    check_result(head, ScanResult::complete, head.size());
    check_result("\r\n", ScanResult::incomplete, 2);
    check_result("\r\n\r\n", ScanResult::complete, 4);
    check_result("\r\n\r\n" + std::string(100, 'x'), ScanResult::complete, 4);
}

TEST_CASE("a bare LF is found wherever it stands, and a bare CR is left to the parser") {
    const std::string start = "GET / HTTP/1.1\r\nHost: a";
    check_result("\n", ScanResult::bare_lf, 0);
    check_result("\n" + std::string(100, 'x'), ScanResult::bare_lf, 0);
    check_result(start + "\n\r\n", ScanResult::bare_lf, start.size());
    check_result(start + "\r\n\n" + std::string(100, 'x'), ScanResult::bare_lf, start.size() + 2);
    check_result(start + "\rb\r\n\r\n", ScanResult::complete, start.size() + 6);
}

TEST_CASE("the start of the current line is known while the head is incomplete") {
    for (const Scanner scanner : {&scan_head, &scan_head_scalar}) {
        const std::string lines = "GET / HTTP/1.1\r\nHost: a\r\n";
        CHECK(scan_whole(scanner, lines + "Acce").scan.line_start == lines.size());
        CHECK(scan_whole(scanner, lines + std::string(100, 'x')).scan.line_start == lines.size());
        CHECK(scan_whole(scanner, "GET").scan.line_start == 0);
    }
}

TEST_CASE("every place of the end and of a bare LF in a long head is found by both scanners alike") {
    for (size_t size = 0; size < 140; ++size) {
        for (const char* ending : {"\r\n\r\n", "\n", "\r\n", "\n\r\n", "\r\n\n"}) {
            for (const size_t tail : {0U, 1U, 15U, 31U, 32U, 33U, 64U}) {
                const std::string bytes = std::string(size, 'a') + ending + std::string(tail, 'b');
                CAPTURE(size);
                CAPTURE(tail);
                CHECK(scan_whole(&scan_head, bytes) == scan_whole(&scan_head_scalar, bytes));
            }
        }
    }
}

TEST_CASE("every split of the input gives the same result, with AVX2 or without") {
    RandomSource random;
    INFO("seed: " << random.seed());
    for (int round = 0; round < 3000; ++round) {
        std::string bytes;
        for (size_t lines = random.below(6); lines > 0; --lines) bytes += random.text(60, "ab:\r") + "\r\n";
        bytes += "\r\n" + random.text(40, "ab\r\n");
        if (random.one_in(2)) bytes = random.mutated(bytes);
        const Outcome expected = scan_whole(&scan_head_scalar, bytes);
        REQUIRE(scan_whole(&scan_head, bytes) == expected);

        std::vector<size_t> ends;
        const size_t longest = 1 + random.below(80);
        for (size_t end = 0; end < bytes.size();) {
            end = std::min(bytes.size(), end + 1 + random.below(longest));
            ends.push_back(end);
        }
        CAPTURE(bytes);
        REQUIRE(scan_pieces(&scan_head, bytes, ends) == expected);
        REQUIRE(scan_pieces(&scan_head_scalar, bytes, ends) == expected);
    }
}

TEST_CASE(
    "the fast searches for the end of a name, a value and a target agree with their plain twins on every "
    "byte") {
    for (size_t size = 1; size < 50; ++size) {
        for (size_t at = 0; at < size; ++at) {
            for (int c = 0; c < 256; ++c) {
                std::vector<char> bytes(size, 'x');
                bytes[at] = static_cast<char>(c);
                const char* const begin = bytes.data();
                const char* const end = begin + size;
                REQUIRE(find_token_end(begin, end) == find_end_scalar(begin, end, kToken));
                REQUIRE(find_value_end(begin, end) == find_end_scalar(begin, end, kFieldValue));
                REQUIRE(find_target_end(begin, end) == find_end_scalar(begin, end, kTarget));
            }
        }
    }
}

#ifdef __SSE2__
TEST_CASE("what is skipped as unremarkable is whole blocks, up to the one that holds a remarkable byte") {
    for (size_t at = 0; at < 50; ++at) {
        for (int c = 0; c < 256; ++c) {
            std::vector<char> bytes(50, 'x');
            bytes[at] = static_cast<char>(c);
            const bool is_printable = c >= 0x20 && c < 0x7f;
            const bool has_meaning = std::string_view("\"\\&<>'").find(bytes[at]) != std::string_view::npos;
            const size_t plain = is_printable && !has_meaning ? bytes.size() : at;
            const char* const stop = skip_unremarkable(bytes.data(), bytes.data() + bytes.size());
            REQUIRE(static_cast<size_t>(stop - bytes.data()) == plain / 16 * 16);
        }
    }
}
#endif
