// Response heads: no app can make weir and a client disagree on where an answer ends, or slip a field past
// weir.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "head_checks.h"
#include "http/head_parser.h"
#include "http/head_scan.h"
#include "http/head_writer.h"
#include "input.h"
#include "llhttp_oracle.h"

namespace weir::fuzz {
namespace {

using http::Body;
using http::FieldId;
using http::Framing;
using http::Method;
using http::ResponseFacts;
using http::ResponseHead;
using http::Version;

bool same_head(const ResponseHead& a, const ResponseHead& b) {
    return a.status == b.status && a.reason_phrase == b.reason_phrase && a.version == b.version &&
           a.keep_alive == b.keep_alive && a.chunked == b.chunked && a.content_length == b.content_length &&
           a.upgrade == b.upgrade && same_fields(a.fields, b.fields);
}

void require_sound(const ResponseHead& head, std::string_view bytes) {
    require_sound_fields(head.fields, bytes);
    require(lies_in(head.reason_phrase, bytes), "the reason phrase is a view into the head");
    require(lies_in(head.upgrade, bytes), "the upgrade is a view into the head");
    require(head.status >= 100 && head.status <= 599, "a status lies between 100 and 599");
    require(!head.chunked || !head.content_length, "a body is framed in one way");
    require(!head.chunked || head.version == Version::http11, "HTTP/1.0 knows no chunks");
}

std::optional<ResponseHead> parse(std::string_view bytes) {
    static ResponseHead used;
    ResponseHead fresh;
    const auto fault = http::parse_response_head(bytes, fresh);
    const auto fault_again = http::parse_response_head(bytes, used);
    require(fault.has_value() == fault_again.has_value(), "a head is judged alike in a reused object");
    if (fault) {
        require(fault->reason == http::Reason::upstream_protocol, "the app is to blame for its head");
        require(fault->offset <= bytes.size(), "a fault lies in the head");
        require(!std::string_view(fault->detail).empty(), "a fault says what is wrong");
        return std::nullopt;
    }
    require(same_head(fresh, used), "nothing is left over from an earlier head");
    return fresh;
}

void require_llhttp_agrees(const ResponseHead& head, std::string_view bytes) {
    const auto heard = hear(MessageKind::response, bytes);
    // With a tab behind "chunked" llhttp reads until the connection closes. Weir writes the field without it.
    if (!heard || has_padded_framing(head.fields)) return;
    if (!heard->error.empty()) std::fprintf(stderr, "llhttp: %s\n", heard->error.c_str());
    require(heard->error.empty(), "llhttp accepts the head");
    require(heard->head == Ending::with_last_byte, "the head ends where llhttp sees its end");
    require(heard->status == head.status, "llhttp reads the same status");
    require((heard->minor_version == 1) == (head.version == Version::http11),
            "llhttp reads the same version");
    require(heard->chunked == head.chunked, "llhttp sees the same chunked body");
    require(heard->has_length == head.content_length.has_value(), "llhttp sees the same Content-Length");
    if (heard->has_length) require(heard->length == *head.content_length, "llhttp reads the same length");
    require_same_fields(head.fields, heard->fields);
}

/// RFC 9112, 6.3, told once more: the writer and the reader of a response must not share a mistake.
void require_right_body(const ResponseHead& head, Method asked) {
    const Body body = http::response_body(head, asked);
    const bool never = asked == Method::head || head.status < 200 || head.status == 204 || head.status == 304;
    const Framing measured = head.content_length ? Framing::length : Framing::until_close;
    const Framing framed = head.chunked ? Framing::chunked : measured;
    require(body.framing == (never ? Framing::none : framed),
            "the body is framed as the status and the fields say");
    if (body.framing == Framing::length)
        require(body.length == *head.content_length, "its length is the one told");
}

/// A body of unknown length goes to HTTP/1.1 in chunks, to HTTP/1.0 until the connection closes.
Body reframed(Body body, Version client) {
    const bool measured = body.framing == Framing::none || body.framing == Framing::length;
    if (measured) return body;
    return {.framing = client == Version::http11 ? Framing::chunked : Framing::until_close, .length = 0};
}

ResponseFacts choose_facts(const ResponseHead& head, Method asked, Choices& choices) {
    ResponseFacts facts;
    facts.client_version = choices.coin() ? Version::http11 : Version::http10;
    facts.body = reframed(http::response_body(head, asked), facts.client_version);
    facts.keep_alive = facts.body.framing != Framing::until_close && choices.coin();
    facts.request_id = choices.coin() ? "0123456789abcdef0123456789abcdef" : "";
    facts.date = "Sun, 06 Nov 1994 08:49:37 GMT";
    return facts;
}

/// True where the same fields go on, those apart that weir may add, remove or replace.
void require_same_answer(const ResponseHead& written, const ResponseHead& head) {
    require(written.status == head.status, "the status is passed on");
    require(written.version == Version::http11, "weir speaks HTTP/1.1");
    require(same_fields(end_to_end(written.fields), end_to_end(head.fields)),
            "end-to-end fields are passed on in order");
    for (const FieldId id : {FieldId::content_length, FieldId::transfer_encoding, FieldId::keep_alive}) {
        const auto is_it = [id](const auto& field) { return field.id == id; };
        const auto count = std::count_if(written.fields.begin(), written.fields.end(), is_it);
        require(count <= (id == FieldId::keep_alive ? 0 : 1), "framing is written at most once");
    }
}

/// Parses what was written, as its reader does.
ResponseHead read_back(std::string_view written) {
    const auto found = find_head(written);
    require(found && found->size() == written.size(), "a written head is exactly one head");
    auto again = parse(*found);
    require(again.has_value(), "a written head passes weir's own checks");
    require_sound(*again, *found);
    require_llhttp_agrees(*again, *found);
    return std::move(*again);
}

void require_passed_on_well(const ResponseHead& head, Choices& choices) {
    const Method asked = choices.coin() ? Method::get : Method::head;
    require_right_body(head, asked);
    const ResponseFacts facts = choose_facts(head, asked, choices);
    const size_t bound = http::response_head_bound(head, facts);
    const auto out = std::make_unique<char[]>(bound);
    const size_t length = http::write_response_head(head, facts, out.get());
    require(length <= bound, "a written head keeps within its bound");

    const ExactCopy written({out.get(), length});
    const ResponseHead again = read_back(written.view());
    require_same_answer(again, head);
    const Body body = http::response_body(again, asked);
    require(body.framing == facts.body.framing && body.length == facts.body.length,
            "the client finds the end of the body where weir put it");
    require(again.status != 204 || !again.content_length, "a 204 speaks of no length");
    require(count_folded(again.fields, FieldId::date) >= 1, "every answer has a date");
    if (facts.client_version == Version::http11) {
        require(again.keep_alive == facts.keep_alive, "a connection is kept or closed as weir says");
    }
}

void require_interim_passed_on_well(const ResponseHead& head) {
    const size_t bound = http::response_head_bound(head, {});
    const auto out = std::make_unique<char[]>(bound);
    const size_t length = http::write_interim_head(head, out.get());
    require(length <= bound, "a written head keeps within its bound");

    const ExactCopy written({out.get(), length});
    const ResponseHead again = read_back(written.view());
    require_same_answer(again, head);
    require(!again.chunked && !again.content_length, "an interim answer frames no body");
    if (head.status == 101) require(again.upgrade == head.upgrade, "the upgrade is passed on");
}

void run(std::string_view input) {
    const auto found = find_head(input);
    if (!found) return;
    const ExactCopy bytes(*found);
    const auto head = parse(bytes.view());
    if (!head) return;
    Choices choices(input);
    require_sound(*head, bytes.view());
    require_llhttp_agrees(*head, bytes.view());
    // What weir adds can take the largest of heads past weir's own bounds.
    const bool has_room = head->fields.size() + 8 <= http::kMaxResponseFields &&
                          bytes.view().size() + 512 <= http::kMaxResponseHeadBytes;
    if (!has_room) return;
    if (head->status < 200) return require_interim_passed_on_well(*head);
    require_passed_on_well(*head, choices);
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
