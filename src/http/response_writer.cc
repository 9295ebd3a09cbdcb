#include "http/char_class.h"
#include "http/head_writer.h"
#include "http/out.h"
#include "http/reason.h"
#include "http/sent_fields.h"

namespace weir::http {
namespace {

std::string_view phrase_of(const ResponseHead& head) {
    const bool is_usable = !head.reason_phrase.empty() && all_are(head.reason_phrase, kFieldValue);
    return is_usable ? head.reason_phrase : status_phrase(head.status);
}

void write_status_line(const ResponseHead& head, Out& out) {
    out.text("HTTP/1.1 ");
    out.number(head.status);
    out.text(" ");
    out.text(phrase_of(head));
    out.line_end();
}

void write_framing(Body body, Out& out) {
    switch (body.framing) {
        case Framing::length:
            out.text("Content-Length: ");
            out.number(body.length);
            out.line_end();
            return;
        case Framing::chunked: out.field("Transfer-Encoding", "chunked"); return;
        case Framing::none:
        case Framing::until_close: return;
    }
}

}  // namespace

size_t response_head_bound(const ResponseHead& head, const ResponseFacts& facts) {
    // The longest of what may be added: framing, Connection (for a 101: "Connection: Upgrade" and "Upgrade:
    // "), Date, X-Request-ID, the empty line and a standard phrase.
    constexpr size_t kAdded = 256;
    size_t bound = head.reason_phrase.size() + head.upgrade.size() + facts.date.size() +
                   facts.request_id.size() + kAdded;
    for (const Field& field : head.fields) bound += field.name.size() + field.value.size() + kFieldOverhead;
    return bound;
}

size_t write_response_head(const ResponseHead& head, const ResponseFacts& facts, char* begin) {
    Out out(begin);
    write_status_line(head, out);
    for_each_answer_field(head, facts, [&out](const Field& field) { out.field(field); });
    if (!facts.keep_alive) {
        out.field("Connection", "close");
    } else if (facts.client_version == Version::http10) {
        out.field("Connection", "keep-alive");
    }
    write_framing(facts.body, out);
    out.line_end();
    return out.size();
}

size_t write_interim_head(const ResponseHead& head, char* begin) {
    constexpr uint16_t kSwitchingProtocols = 101;
    Out out(begin);
    write_status_line(head, out);
    for_each_sent_field(head, {}, [&out](const Field& field) { out.field(field); });
    if (head.status == kSwitchingProtocols) {
        out.field("Connection", "Upgrade");
        out.field("Upgrade", head.upgrade);
    }
    out.line_end();
    return out.size();
}

}  // namespace weir::http
