// Prints, as JSON, how weir reads the requests in a file of raw bytes, one after the other as on one
// connection, until it has no more, refuses one or would not read on. Bytes are printed as Latin-1, as Node
// gives them.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "http/body_reader.h"
#include "http/head_parser.h"
#include "http/head_scan.h"

namespace weir::fuzz {
namespace {

using nlohmann::ordered_json;

std::string utf8_of_latin1(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out.push_back(c);
        } else {
            out.push_back(static_cast<char>(0xc0 | (byte >> 6)));
            out.push_back(static_cast<char>(0x80 | (byte & 0x3f)));
        }
    }
    return out;
}

const char* name_of(http::Framing framing) {
    switch (framing) {
        case http::Framing::none: return "none";
        case http::Framing::length: return "length";
        case http::Framing::chunked: return "chunked";
        case http::Framing::until_close: return "until_close";
    }
    return "";
}

ordered_json json_of(const http::HeadFault& fault) {
    return {{"reason", http::text_of(fault.reason).slug}, {"detail", fault.detail}, {"offset", fault.offset}};
}

ordered_json json_of(const http::RequestHead& head) {
    ordered_json fields = ordered_json::array();
    for (const auto& field : head.fields) {
        fields.push_back({utf8_of_latin1(field.name), utf8_of_latin1(field.value)});
    }
    return {{"method", utf8_of_latin1(head.method_name)},
            {"target", utf8_of_latin1(head.target)},
            {"fields", std::move(fields)},
            {"framing", name_of(head.body.framing)},
            {"length", head.body.length},
            {"keep_alive", head.keep_alive},
            {"upgrade", utf8_of_latin1(head.upgrade)}};
}

/// All requests of one connection. `end` says why there are no more of them.
class Connection {
  public:
    explicit Connection(std::string_view bytes) : rest_(bytes) {}

    ordered_json read_all() {
        while (read_one()) {
        }
        return {{"requests", requests_}, {"end", end_}, {"fault", fault_}};
    }

  private:
    bool stop(const char* why, ordered_json fault = nullptr) {
        end_ = why;
        fault_ = std::move(fault);
        return false;
    }

    bool read_one() {
        if (rest_.empty()) return stop("all read");
        http::HeadScan scan;
        const auto result = http::scan_head(rest_, scan);
        if (result == http::ScanResult::bare_lf) return stop("refused", "bare LF");
        if (result == http::ScanResult::incomplete) return stop("head incomplete");
        http::RequestHead head;
        if (const auto fault = http::parse_request_head(rest_.substr(0, scan.looked_at), {}, head)) {
            return stop("refused", json_of(*fault));
        }
        rest_.remove_prefix(scan.looked_at);
        requests_.push_back(json_of(head));
        return read_body(head);
    }

    bool read_body(const http::RequestHead& head) {
        http::BodyReader reader(head.body);
        std::string payload;
        while (!rest_.empty() && !reader.done() && !reader.failed()) {
            const auto step = reader.next(rest_);
            payload.append(step.payload);
            rest_.remove_prefix(step.consumed);
        }
        requests_.back()["body"] =
            reader.done() ? ordered_json(utf8_of_latin1(payload)) : ordered_json(nullptr);
        if (reader.failed()) return stop("body refused", json_of(reader.fault()));
        if (!reader.done()) return stop("body incomplete");
        if (!head.upgrade.empty()) return stop("upgrade");
        return head.keep_alive || stop("close");
    }

    std::string_view rest_;
    ordered_json requests_ = ordered_json::array();
    const char* end_ = "";
    ordered_json fault_;
};

}  // namespace
}  // namespace weir::fuzz

int main(int argc, char** argv) {
    std::ifstream stream(argc == 2 ? argv[1] : "", std::ios::binary);
    if (!stream) {
        std::fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    std::printf("%s\n", weir::fuzz::Connection(bytes).read_all().dump().c_str());
}
