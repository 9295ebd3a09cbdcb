// What an HTTP/2 client says behind its preface: whatever it is, requests are sound, frames are whole,
// windows are kept, and a split changes nothing.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "head_checks.h"
#include "http/chunk_decoder.h"
#include "http/h2_fields.h"
#include "http/h2_session.h"
#include "http/head_writer.h"
#include "input.h"

namespace weir::fuzz {
namespace {

using http::H2Error;
using http::H2Fields;
using http::H2Frame;
using http::H2Session;

constexpr http::HeadLimits kLimits{.head_bytes = 2048, .fields = 20, .uri_bytes = 256};
constexpr std::string_view kRestOfPreface = "SM\r\n\r\n";
constexpr uint32_t kMostStreams = 10;
constexpr uint32_t kWindow = 65535;

/// The rules against smuggling, checked from the parsed head alone.
void require_sound_request(const http::RequestHead& head, std::string_view text, bool has_body) {
    require_sound_fields(head.fields, text);
    require(head.version == http::Version::http2, "the head says how it came");
    require(!head.authority.empty() && head.authority.find('@') == std::string_view::npos,
            "a request is for a host, and nobody's in particular");
    require(head.target.front() == '/' || head.target == "*", "a target is a path");
    size_t hosts = 0;
    size_t cookies = 0;
    for (const http::Field& field : head.fields) {
        const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
        require(std::none_of(field.name.begin(), field.name.end(), is_upper), "names are in lower case");
        const bool is_te = field.id == http::FieldId::te;
        require(is_te || !http::is_hop_by_hop(field.id) || field.id == http::FieldId::proxy_authenticate ||
                    field.id == http::FieldId::proxy_authorization,
                "no field concerns the connection");
        hosts += field.id == http::FieldId::host ? 1 : 0;
        cookies += field.name == "cookie" ? 1 : 0;
    }
    require(hosts == 1, "there is one Host");
    require(cookies <= 1, "there is one line of cookies");
    require(has_body == (head.body.framing == http::Framing::chunked || head.body.length > 0) ||
                head.body.framing == http::Framing::length,
            "a body is framed where there is one");
    require(head.upgrade.empty(), "nothing is upgraded");
}

/// Answers every request, each in a way that its number decides.
class Server final : public H2Session::Connection, public H2Session::Output {
  public:
    class Stream final : public H2Session::Stream {
      public:
        Stream(Server& server, H2Session::StreamId id) : server_(server), id_(id), left_(size_t(id) * 997) {}

        void on_data(std::string_view payload) override {
            require(!is_closed_ && !has_ended_, "no data comes behind the end");
            server_.session.credit_connection(payload.size());
            if (id_ % 4 == 1) server_.session.credit_stream(id_, payload.size());
        }
        void on_end() override {
            require(!has_ended_, "a request ends once");
            has_ended_ = true;
        }
        void on_trailers(bool is_end) override {
            const bool is_sound = !server_.fields.end().has_value() && is_end;
            if (!is_sound) return server_.session.reset(id_, H2Error::protocol_error);
            const auto trailers = http::parse_trailers(server_.fields.trailers());
            require_sound_fields(trailers, server_.fields.trailers());
            on_end();
        }
        void on_closed() override {
            require(!is_closed_, "a stream is closed once");
            is_closed_ = true;
        }
        H2Session::Supply supply(size_t room) override {
            require(!is_closed_, "a closed stream is asked for nothing");
            const size_t bytes = std::min(room, left_);
            if (bytes < left_) return {.bytes = bytes, .next = H2Session::Next::more};
            if (id_ % 3 != 0) return {.bytes = bytes, .next = H2Session::Next::end};
            if (bytes > 0) return {.bytes = bytes, .next = H2Session::Next::more};
            server_.session.reset(id_, H2Error::internal_error);
            return {.bytes = 0, .next = H2Session::Next::other};
        }
        void give(size_t bytes, H2Session::Output& output) override {
            output.write(std::string(bytes, 'b'));
            left_ -= bytes;
        }
        void on_frame_sent(H2Frame, bool) override {}

      private:
        Server& server_;
        const H2Session::StreamId id_;
        size_t left_;
        bool has_ended_ = false;
        bool is_closed_ = false;
    };

    void on_frame(H2Frame) override {}
    void on_section(H2Session::Stream* stream) override {
        fields.begin(stream == nullptr ? H2Fields::Kind::request : H2Fields::Kind::trailers, kLimits);
    }
    void on_section_end() override {}
    void on_field(std::string_view name, std::string_view value) override {
        fields.add(name, value);
        require(fields.head_bytes() <= kLimits.head_bytes + 2 * kLimits.uri_bytes ||
                    fields.trailers().size() <= 8192,
                "what is kept of a head is bounded");
    }
    H2Session::Stream* on_request(H2Session::StreamId id, bool is_end) override {
        Stream& stream = streams.emplace_back(*this, id);
        session.send_head(id, std::array{http::H2Line{.name = ":status", .value = "200"}}, id % 5 != 0);
        if (fields.end()) {
            requests.emplace_back("refused");
            return &stream;
        }
        std::string text(fields.head_bytes(), '\0');
        fields.write_head(text.data());
        http::RequestHead head;
        if (!http::parse_h2_head(text, !is_end, kLimits, head)) require_sound_request(head, text, !is_end);
        requests.push_back(std::move(text));
        return &stream;
    }
    void on_ping_answered() override {}
    void write(std::string_view bytes) override { out += bytes; }
    [[nodiscard]] bool is_full() const override { return out.size() > 4096; }

    bool feed(std::string_view bytes) {
        const bool goes_on = session.receive(bytes) == H2Session::Received::fine;
        out.clear();
        session.produce(*this);
        require_whole_frames();
        return goes_on && !session.has_ended();
    }

    H2Fields fields;
    std::deque<Stream> streams;
    std::vector<std::string> requests;
    std::string out;
    H2Session session{*this,
                      {.streams = kMostStreams, .stream_window = kWindow, .connection_window = kWindow}};

  private:
    void require_whole_frames() const {
        std::string_view rest = out;
        while (!rest.empty()) {
            require(rest.size() >= H2Session::kFrameHead, "frames have heads");
            const auto byte = [&rest](size_t at) { return static_cast<uint8_t>(rest[at]); };
            const size_t length = size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2);
            require(rest.size() >= H2Session::kFrameHead + length, "frames are whole");
            rest.remove_prefix(H2Session::kFrameHead + length);
        }
    }
};

std::vector<std::string> requests_of(std::string_view input, size_t longest_piece) {
    Choices choices(input);
    Server server;
    bool goes_on = server.feed(H2Session::kPreface) && server.feed(kRestOfPreface);
    while (goes_on && !input.empty()) {
        const ExactCopy piece(input.substr(0, 1 + choices.below(longest_piece)));
        goes_on = server.feed(piece.view());
        input.remove_prefix(piece.view().size());
    }
    return server.requests;
}

/// nghttp2 takes the head of a CONTINUATION that comes in many pieces for several, so that it may give up
/// earlier; and answers that have left make room for streams.
void run(std::string_view input) {
    const auto whole = requests_of(input, input.size() + 1);
    const auto split = requests_of(input, 30);
    const size_t common = std::min({whole.size(), split.size(), size_t{kMostStreams}});
    require(std::equal(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(common), split.begin()),
            "any split gives the same requests");
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
