// Which fields of an answer reach the client, whatever protocol it speaks: the one place that decides.
#pragma once

#include "http/governing_fields.h"
#include "http/head_writer.h"
#include "http/message.h"

namespace weir::http {

/// RFC 9110, 8.6: a HEAD or 304 may say how long the body would have been; 1xx and 204 may not.
inline bool keeps_content_length(const ResponseHead& head, Body body) {
    return body.framing == Framing::none && head.status >= 200 && head.status != 204;
}

/// Calls `emit` with each field that goes on: those that concern the connection to the app stay behind, and
/// Content-Length where `body` says it anew.
template <class Emit>
void for_each_sent_field(const ResponseHead& head, Body body, Emit emit) {
    const ConnectionNames named(head.fields);
    const bool keeps_length = keeps_content_length(head, body);
    for (const Field& field : head.fields) {
        const bool is_framing = field.id == FieldId::content_length && !keeps_length;
        if (!is_framing && !is_hop_by_hop(field.id) && !named.contain(field.name)) emit(field);
    }
}

/// The same of a final answer, and then Date and X-Request-ID where the app has not written them.
template <class Emit>
void for_each_answer_field(const ResponseHead& head, const ResponseFacts& facts, Emit emit) {
    bool has_date = facts.date.empty();
    bool has_request_id = facts.request_id.empty();
    for_each_sent_field(head, facts.body, [&](const Field& field) {
        has_date = has_date || field.id == FieldId::date;
        has_request_id = has_request_id || field.id == FieldId::x_request_id;
        emit(field);
    });
    if (!has_date) emit(Field{.name = "Date", .value = facts.date, .id = FieldId::date});
    if (!has_request_id)
        emit(Field{.name = "X-Request-ID", .value = facts.request_id, .id = FieldId::x_request_id});
}

}  // namespace weir::http
