// Chunked bodies: any split gives the same payload, and llhttp finds the same payload and the same end.
#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "head_checks.h"
#include "http/body_reader.h"
#include "http/chunk_decoder.h"
#include "http/head_writer.h"
#include "input.h"
#include "llhttp_oracle.h"

namespace weir::fuzz {
namespace {

using http::BodyReader;
using http::ChunkDecoder;

bool is_control(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }

struct Decoded {
    bool done = false;
    bool failed = false;
    size_t consumed = 0;
    size_t fault_offset = 0;
    std::string payload;
    std::string coding;  ///< what was consumed and is no payload
    std::string trailers;

    bool operator==(const Decoded&) const = default;
};

/// Hands `piece` over until the decoder wants more; true where it goes on after that.
template <class Decoder>
bool feed(Decoder& decoder, std::string_view piece, Decoded& to) {
    while (!piece.empty() && !decoder.done() && !decoder.failed()) {
        const auto step = decoder.next(piece);
        require(step.consumed <= piece.size(), "no more is consumed than was given");
        require(step.consumed > 0 || decoder.failed(), "every step gets on");
        require(lies_in(step.payload, piece.substr(0, step.consumed)),
                "payload is a view into what was consumed");
        const auto before =
            step.payload.empty() ? step.consumed : static_cast<size_t>(step.payload.data() - piece.data());
        to.coding.append(piece.substr(0, before));
        to.coding.append(
            piece.substr(before + step.payload.size(), step.consumed - before - step.payload.size()));
        to.payload.append(step.payload);
        to.consumed += step.consumed;
        piece.remove_prefix(step.consumed);
    }
    return !decoder.done() && !decoder.failed();
}

template <class Decoder>
Decoded decode(Decoder decoder, std::string_view input, size_t longest_piece) {
    Choices choices(input);
    Decoded result;
    for (bool goes_on = true; goes_on && !input.empty();) {
        const size_t length = std::min(input.size(), 1 + choices.below(longest_piece));
        const ExactCopy piece(input.substr(0, length));
        goes_on = feed(decoder, piece.view(), result);
        input.remove_prefix(length);
    }
    result.done = decoder.done();
    result.failed = decoder.failed();
    require(!(result.done && result.failed), "a body is not both done and broken");
    if (result.failed) {
        // How far it got before it was seen to be broken says nothing.
        result.consumed = 0;
        result.coding.clear();
        result.fault_offset = decoder.fault().offset;
        require(!std::string_view(decoder.fault().detail).empty(), "a fault says what is wrong");
    }
    if (result.done) result.trailers = decoder.trailers();
    return result;
}

/// RFC 9112, 7.1, told once more, with the payload taken out: every chunk is a size line and an empty line.
void require_plain_coding(const Decoded& decoded) {
    std::string_view rest = decoded.coding;
    uint64_t total = 0;
    for (bool is_last = false; !is_last;) {
        const size_t digits = std::min(rest.find_first_not_of("0123456789abcdefABCDEF"), rest.size());
        require(digits >= 1 && digits <= 16, "a size has 1 to 16 digits");
        const uint64_t size = std::stoull(std::string(rest.substr(0, digits)), nullptr, 16);
        rest.remove_prefix(digits);
        require(rest.starts_with(';') || rest.starts_with("\r\n"), "nothing but an extension follows a size");
        rest = {std::find_if(rest.begin(), rest.end(), is_control), rest.end()};
        is_last = size == 0;
        const std::string_view ending = is_last ? "\r\n" : "\r\n\r\n";
        require(rest.starts_with(ending), "lines and data end in CRLF");
        rest.remove_prefix(ending.size());
        total += size;
    }
    require(total == decoded.payload.size(), "the payload is as long as the sizes say");
    require(rest == decoded.trailers + "\r\n", "trailers and an empty line are all that is left");
}

void require_sound_trailers(const Decoded& decoded) {
    const ExactCopy section(decoded.trailers);
    const auto fields = http::parse_trailers(section.view());
    require_sound_fields(fields, section.view());
    for (const auto& field : fields) {
        require(!http::is_hop_by_hop(field.id), "no trailer speaks of the connection");
        for (const auto id : {http::FieldId::content_length, http::FieldId::host}) {
            require(field.id != id, "no trailer speaks of framing or routing");
        }
    }
}

/// Writes the payload anew in chunks and reads it back.
void require_round_trip(const Decoded& decoded, Choices& choices) {
    std::string coded;
    const auto append_head = [&coded](size_t size) {
        char head[http::kMaxChunkHead];
        const size_t length = http::write_chunk_head(size, head);
        require(length <= sizeof head, "a chunk's head keeps within its bound");
        coded.append(head, length);
    };
    for (std::string_view rest = decoded.payload; !rest.empty();) {
        const size_t size = 1 + choices.below(rest.size());
        append_head(size);
        coded.append(rest.substr(0, size)).append("\r\n");
        rest.remove_prefix(size);
    }
    append_head(0);
    coded.append(decoded.trailers).append("\r\n");

    const Decoded again = decode(ChunkDecoder(), coded, coded.size());
    require(again.done && again.consumed == coded.size(), "what weir writes in chunks it reads to the end");
    require(again.payload == decoded.payload, "what weir writes in chunks is the same payload");
    require(again.trailers == decoded.trailers, "trailers survive");
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

/// llhttp has a grammar for extensions, which weir drops unread, and refuses trailers that speak of framing,
/// which weir drops as well. A refusal is no second opinion.
bool is_stricter(const Heard& heard, const Decoded& decoded, std::string_view body) {
    const bool has_extension = body.find(';') != std::string_view::npos;
    if (has_extension && is_one_of(heard.error, {"HPE_STRICT", "HPE_INVALID_CHUNK_SIZE"})) return true;
    return !decoded.trailers.empty() &&
           is_one_of(heard.error, {"HPE_UNEXPECTED_CONTENT_LENGTH", "HPE_INVALID_CONTENT_LENGTH",
                                   "HPE_INVALID_TRANSFER_ENCODING"});
}

void require_llhttp_agrees(const Decoded& decoded, std::string_view body) {
    constexpr std::string_view kHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const auto heard = hear(MessageKind::request, std::string(kHead).append(body));
    if (!heard) return;
    if (is_stricter(*heard, decoded, body)) {
        require(heard->message == Ending::not_reached, "llhttp refuses before it sees an end");
        require(std::string_view(decoded.payload).starts_with(heard->payload),
                "llhttp reads the same payload so far");
        return;
    }
    if (!heard->error.empty()) std::fprintf(stderr, "llhttp: %s\n", heard->error.c_str());
    require(heard->error.empty(), "llhttp accepts the body");
    require(heard->message == Ending::with_last_byte, "the body ends where llhttp sees its end");
    require(heard->payload == decoded.payload, "llhttp reads the same payload");
}

void run(std::string_view input) {
    const Decoded whole = decode(ChunkDecoder(), input, input.size() + 1);
    for (const size_t longest : {3U, 40U}) {
        require(decode(ChunkDecoder(), input, longest) == whole, "any split gives the same body");
    }
    const BodyReader reader(http::Body{.framing = http::Framing::chunked, .length = 0});
    require(decode(reader, input, 16) == whole, "the body reader reads chunks as the decoder does");
    if (!whole.done) return;
    Choices choices(input);
    require_plain_coding(whole);
    require_sound_trailers(whole);
    require_round_trip(whole, choices);
    require_llhttp_agrees(whole, input.substr(0, whole.consumed));
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
