#include "proxy/access_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using weir::Duration;
using weir::WallTime;
using weir::proxy::AccessRecord;

namespace {

AccessRecord usual_record() {
    AccessRecord record;
    record.time = WallTime{971186136s + 123456789ns};  // 2000-10-10 13:55:36 UTC
    record.client_address = "192.0.2.7";
    record.request_id = "01J9ZQ4M";
    record.method = "GET";
    record.target = "/x";
    record.protocol = "HTTP/1.1";
    record.host = "app.example";
    record.status = 200;
    record.response_bytes = 2326;
    record.total = 12'345'678ns;
    return record;
}

std::string json_line(const AccessRecord& record) {
    std::string line;
    weir::proxy::append_json_line(record, line);
    return line;
}

std::string combined_line(const AccessRecord& record) {
    std::string line;
    weir::proxy::append_combined_line(record, line);
    return line;
}

std::string logged_path(std::string_view target) {
    auto record = usual_record();
    record.target = target;
    return nlohmann::json::parse(json_line(record)).at("path");
}

bool is_one_line(std::string_view line) {
    return std::ranges::count(line, '\n') == 1 && line.back() == '\n' &&
           std::ranges::none_of(line.substr(0, line.size() - 1), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte < 0x20 || byte == 0x7F;
           });
}

/// Every byte value, and often the lead and continuation bytes that make almost well-formed UTF-8.
std::string random_bytes(std::mt19937_64& random, size_t size) {
    static constexpr std::array<unsigned char, 24> kTelling = {0x80, 0x85, 0x9F, 0xA0, 0xA8, 0xBF, 0xC0, 0xC2,
                                                               0xDF, 0xE0, 0xE2, 0xED, 0xEF, 0xF0, 0xF4, 0xF5,
                                                               0xFF, '"',  '\\', '\n', 0x7F, '?',  '=',  '&'};
    std::string bytes(size, ' ');
    for (auto& byte : bytes) {
        const bool any = random() % 2 == 0;
        byte = static_cast<char>(any ? random() & 0xFF : kTelling[random() % kTelling.size()]);
    }
    return bytes;
}

}  // namespace

TEST_CASE("a JSON line has its keys in order and leaves out what was not there") {
    CHECK(
        json_line(usual_record()) ==
        R"({"time":"2000-10-10T13:55:36.123456Z","id":"01J9ZQ4M","client":"192.0.2.7","method":"GET",)"
        R"("host":"app.example","path":"/x","protocol":"HTTP/1.1","status":200,"bytes_in":0,"bytes_out":2326,)"
        R"("total_ms":12.345})"
        "\n");
}

TEST_CASE("a JSON line tells all there is to tell") {
    auto record = usual_record();
    record.reason = "deadline";
    record.cut = "upstream_stall";
    record.request_bytes = 17;
    record.connect = 80us;
    record.first_byte = 1s + 5us;
    record.retries = 2;
    record.server = "127.0.0.1:5000";
    record.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    record.referer = "https://app.example/from";
    record.user_agent = "curl/8.0";
    record.slow = true;
    CHECK(
        json_line(record) ==
        R"({"time":"2000-10-10T13:55:36.123456Z","id":"01J9ZQ4M","client":"192.0.2.7","method":"GET",)"
        R"("host":"app.example","path":"/x","protocol":"HTTP/1.1","status":200,"reason":"deadline",)"
        R"("cut":"upstream_stall","bytes_in":17,"bytes_out":2326,"connect_ms":0.080,"first_byte_ms":1000.005,)"
        R"("total_ms":12.345,"retries":2,"server":"127.0.0.1:5000",)"
        R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","referer":"https://app.example/from",)"
        R"("user_agent":"curl/8.0","slow":true})"
        "\n");
}

TEST_CASE("a JSON line names the rates in shadow that would have refused, and no others") {
    static constexpr std::array<std::string_view, 3> kNames = {"tighter", "per-min", "reports-per-hour"};
    auto record = usual_record();
    record.rule = "reports";
    record.shadow_names = kNames;
    const auto logged = [&](uint64_t refusals) {
        record.shadow_refusals = refusals;
        return json_line(record);
    };
    CHECK(logged(0).find("shadow") == std::string::npos);
    CHECK(logged(0b001).find(R"("rule":"reports","shadow":["tighter"],"bytes_in":0)") != std::string::npos);
    CHECK(logged(0b110).find(R"("shadow":["per-min","reports-per-hour"],)") != std::string::npos);
    CHECK(nlohmann::json::parse(logged(0b111)).at("shadow").size() == 3);
}

TEST_CASE("a combined line is as Apache and nginx write it") {
    auto record = usual_record();
    CHECK(combined_line(record) ==
          "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /x HTTP/1.1\" 200 2326 \"-\" \"-\"\n");
    record.referer = "https://app.example/from";
    record.user_agent = "curl/8.0";
    CHECK(combined_line(record) ==
          "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /x HTTP/1.1\" 200 2326 "
          "\"https://app.example/from\" "
          "\"curl/8.0\"\n");
}

TEST_CASE("a combined line of a request whose head was not understood has dashes") {
    AccessRecord record;
    record.status = 400;
    CHECK(combined_line(record) == "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 0 \"-\" \"-\"\n");
}

TEST_CASE("a combined line escapes bytes as nginx does") {
    auto record = usual_record();
    record.target = "/a\"b\\c";
    record.user_agent = "\x01\x7F\xC3\xA9 ~";
    CHECK(combined_line(record) ==
          "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /a\\x22b\\x5Cc HTTP/1.1\" 200 2326 \"-\" "
          "\"\\x01\\x7F\\xC3\\xA9 ~\"\n");
}

TEST_CASE("the time is right on both sides of a second, of a leap day and of the epoch") {
    auto record = usual_record();
    const auto time_of = [&](WallTime time) {
        record.time = time;
        return json_line(record).substr(9, 27);
    };
    CHECK(time_of(WallTime{951782399s + 999999999ns}) == "2000-02-28T23:59:59.999999Z");
    CHECK(time_of(WallTime{951782400s}) == "2000-02-29T00:00:00.000000Z");
    CHECK(time_of(WallTime{951782400s + 1us}) == "2000-02-29T00:00:00.000001Z");
    CHECK(time_of(WallTime{4107542400s}) == "2100-03-01T00:00:00.000000Z");
    CHECK(time_of(WallTime{-1ns}) == "1969-12-31T23:59:59.999999Z");
    CHECK(time_of(WallTime{951782400s}) == "2000-02-29T00:00:00.000000Z");
}

TEST_CASE("printable UTF-8 stands as it is and every other byte is escaped by itself") {
    auto record = usual_record();
    const auto agent_of = [&](std::string_view agent) {
        record.user_agent = agent;
        const auto line = json_line(record);
        const size_t begin = line.find("\"user_agent\":\"") + 14;
        return line.substr(begin, line.size() - 3 - begin);
    };
    CHECK(agent_of("\u00E9\u20AC\U0001F600") == "\u00E9\u20AC\U0001F600");
    CHECK(agent_of("a\"b\\c\n\r\t\x7F") == R"(a\"b\\c\u000a\u000d\u0009\u007f)");
    CHECK(agent_of(std::string_view("\0", 1)) == R"(\u0000)");
    CHECK(agent_of("\xE9 alone") == R"(\u00e9 alone)");
    CHECK(agent_of("\xC3") == R"(\u00c3)");
    CHECK(agent_of("\xC0\xAF") == R"(\u00c0\u00af)");                      // overlong
    CHECK(agent_of("\xE0\x9F\xBF") == R"(\u00e0\u009f\u00bf)");            // overlong
    CHECK(agent_of("\xED\xA0\x80") == R"(\u00ed\u00a0\u0080)");            // surrogate
    CHECK(agent_of("\xF4\x90\x80\x80") == R"(\u00f4\u0090\u0080\u0080)");  // past U+10FFFF
    CHECK(agent_of("\xF0\x8F\xBF\xBF") == R"(\u00f0\u008f\u00bf\u00bf)");  // overlong
    CHECK(agent_of("\u2028\u2029") ==
          R"(\u00e2\u0080\u00a8\u00e2\u0080\u00a9)");                  // ends a line to some readers
    CHECK(agent_of("\u0085\u009B") == R"(\u00c2\u0085\u00c2\u009b)");  // ... and steers a terminal
}

TEST_CASE("whatever bytes come, a JSON line is one line of valid JSON within its bound") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    for (int round = 0; round < 3000; ++round) {
        const size_t longest = round % 10 == 0 ? 4000 : 40;
        std::array<std::string, 11> texts;
        for (auto& text : texts) text = random_bytes(random, random() % longest);
        AccessRecord record;
        record.time = WallTime{Duration{static_cast<int64_t>(random())}};
        record.client_address = texts[0];
        record.request_id = texts[1];
        record.method = texts[2];
        record.target = texts[3];
        record.protocol = texts[4];
        record.host = texts[5];
        record.referer = texts[6];
        record.user_agent = texts[7];
        record.server = texts[8];
        record.reason = texts[9];
        record.cut = texts[10];
        record.status = static_cast<uint16_t>(random());
        record.retries = static_cast<uint32_t>(random());
        record.request_bytes = random();
        record.response_bytes = random();
        record.total = Duration{static_cast<int64_t>(random())};

        const auto line = json_line(record);
        REQUIRE(is_one_line(line));
        REQUIRE(line.size() <= weir::proxy::kMaxLineBytes);
        const auto parsed = nlohmann::json::parse(line, nullptr, false);
        REQUIRE(parsed.is_object());
        REQUIRE(parsed.at("bytes_in") == record.request_bytes);

        const auto combined = combined_line(record);
        REQUIRE(is_one_line(combined));
        REQUIRE(std::ranges::all_of(combined, [](char c) { return static_cast<unsigned char>(c) < 0x7F; }));
        REQUIRE(std::ranges::count(combined, '"') == 6);
    }
}

TEST_CASE("the longest line stays within its bound") {
    const std::string hostile(70000, '\x01');
    std::string secrets = "/?";
    while (secrets.size() < 4096) secrets += "pin=&";
    auto record = usual_record();
    record.target = hostile;
    for (auto* text : {&record.client_address, &record.request_id, &record.method, &record.protocol,
                       &record.tls, &record.host, &record.referer, &record.user_agent, &record.server,
                       &record.route, &record.reason, &record.rule, &record.cut, &record.trace_id}) {
        *text = hostile;
    }
    record.time = WallTime::max();
    record.request_bytes = record.response_bytes = UINT64_MAX;
    record.queue = record.hold = record.connect = record.first_byte = record.total = Duration::max();
    record.retries = UINT32_MAX;
    record.slow = true;
    const std::vector<std::string_view> shadows(weir::proxy::kMostShadows, hostile);
    record.shadow_names = shadows;
    record.shadow_refusals = UINT64_MAX;
    CHECK(json_line(record).size() <= weir::proxy::kMaxLineBytes);
    CHECK(combined_line(record).size() <= weir::proxy::kMaxLineBytes);
    record.target = secrets;
    record.referer = secrets;
    CHECK(json_line(record).size() <= weir::proxy::kMaxLineBytes);
}

TEST_CASE("long texts are cut between characters and end in an ellipsis") {
    CHECK(logged_path("/" + std::string(2047, 'x')) == "/" + std::string(2047, 'x'));
    CHECK(logged_path("/" + std::string(2048, 'x')) == "/" + std::string(2047, 'x') + "\u2026");
    CHECK(logged_path("/" + std::string(2046, 'x') + "\u00E9") == "/" + std::string(2046, 'x') + "\u2026");

    auto record = usual_record();
    const std::string agent(600, 'a');
    record.user_agent = agent;
    record.referer = agent;
    const auto parsed = nlohmann::json::parse(json_line(record));
    CHECK(parsed.at("user_agent") == std::string(512, 'a') + "\u2026");
    CHECK(parsed.at("referer") == std::string(512, 'a') + "\u2026");
    CHECK(combined_line(record).ends_with("\"" + std::string(512, 'a') + "...\" \"" + std::string(512, 'a') +
                                          "...\"\n"));
}

TEST_CASE("the values of telling query parameters are struck out") {
    CHECK(logged_path("/x?page=2&token=abc&size=3") == "/x?page=2&token=***&size=3");
    CHECK(logged_path("/x?token=abc") == "/x?token=***");
    CHECK(logged_path("/x?token=a=b&c=d") == "/x?token=***&c=d");
    for (const std::string_view name : {"access_token",
                                        "ACCESS-TOKEN",
                                        "new_Password",
                                        "passwd",
                                        "client_secret",
                                        "api_key",
                                        "api-key",
                                        "xApiKey",
                                        "aws_access_key_id",
                                        "accessKey",
                                        "X-Amz-Signature",
                                        "auth",
                                        "authorization",
                                        "session_id",
                                        "PHPSESSIONID",
                                        "code",
                                        "Code",
                                        "key",
                                        "sig",
                                        "sid",
                                        "jwt",
                                        "pwd",
                                        "X-Amz-Credential",
                                        "passphrase",
                                        "otp",
                                        "pin",
                                        "pass"}) {
        INFO(name);
        CHECK(logged_path("/x?a=1&" + std::string(name) + "=v&b=2") ==
              "/x?a=1&" + std::string(name) + "=***&b=2");
    }
}

TEST_CASE("other parameters are not struck out") {
    for (const std::string_view target :
         {"/x?country_code=de&monkey=1&design=2&pinned=3&sort=name&page_size=20", "/token=abc", "/x?token",
          "/x?a=token", "/x?=token", "/x?&&==&", "/x?", "?", ""}) {
        CHECK(logged_path(target) == target);
    }
}

TEST_CASE("a secret does not show through other ways to separate parameters") {
    CHECK(logged_path("/x?a=1;token=abc") == "/x?a=1;token=***");
    CHECK(logged_path("/x?token=abc;def&b=1") == "/x?token=***&b=1");
    CHECK(logged_path("/x?next=/cb?token=abc") == "/x?next=/cb?token=***");
    CHECK(logged_path("/x#access_token=abc") == "/x#access_token=***");
    CHECK(logged_path("http://app.example/x?token=abc") == "http://app.example/x?token=***");
    CHECK(logged_path("/x?pad=" + std::string(2030, 'x') + "&token=abcdefgh").ends_with("&token=***\u2026"));
}

TEST_CASE("secrets are struck out in the referer and in the combined format too") {
    auto record = usual_record();
    record.target = "/x?token=abc";
    record.referer = "https://app.example/reset?token=abc&a=1";
    CHECK(nlohmann::json::parse(json_line(record)).at("referer") ==
          "https://app.example/reset?token=***&a=1");
    CHECK(combined_line(record).find("abc") == std::string::npos);
    CHECK(combined_line(record).find("GET /x?token=*** HTTP") != std::string::npos);
}

TEST_CASE("lines are appended to what is there") {
    std::string lines = "before\n";
    weir::proxy::append_json_line(usual_record(), lines);
    weir::proxy::append_json_line(usual_record(), lines);
    CHECK(lines == "before\n" + json_line(usual_record()) + json_line(usual_record()));
}

TEST_CASE("with the access log off nothing is written") {
    weir::proxy::AccessLog log(nullptr, weir::config::LogFormat::json);
    log.write(usual_record());
    log.flush();
}

TEST_CASE("a log hands its lines on when flushed, when it holds many, and at its end") {
    std::string folder = std::filesystem::temp_directory_path() / "weir_access_XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const std::filesystem::path path = std::filesystem::path(folder) / "log";
    constexpr size_t kLines = 1000;
    {
        auto writer = weir::proxy::LogWriter::open(path);
        REQUIRE(writer.has_value());
        weir::proxy::AccessLog log(writer->get(), weir::config::LogFormat::combined);
        for (size_t i = 0; i < kLines; ++i) log.write(usual_record());
        log.flush();
        log.write(usual_record());
    }
    std::ifstream file(path);
    std::string line;
    size_t lines = 0;
    while (std::getline(file, line)) lines += line + "\n" == combined_line(usual_record()) ? 1 : 0;
    std::filesystem::remove_all(folder);
    CHECK(lines == kLines + 1);
}
