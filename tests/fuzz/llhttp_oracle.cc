#include "llhttp_oracle.h"

#include <llhttp.h>

namespace weir::fuzz {
namespace {

/// One parse: the state llhttp's callbacks write to.
struct Listening {
    Heard heard;
    bool head_done = false;
    bool message_done = false;
};

Listening& listening(llhttp_t* parser) { return *static_cast<Listening*>(parser->data); }

std::vector<TextField>& current_fields(llhttp_t* parser) {
    Listening& to = listening(parser);
    return to.head_done ? to.heard.trailers : to.heard.fields;
}

int on_method(llhttp_t* parser, const char* at, size_t length) {
    return listening(parser).heard.method.append(at, length), 0;
}

int on_url(llhttp_t* parser, const char* at, size_t length) {
    return listening(parser).heard.target.append(at, length), 0;
}

int on_field_name(llhttp_t* parser, const char* at, size_t length) {
    auto& fields = current_fields(parser);
    // A name may come in pieces: it is a new one only when the field before it is complete.
    if (fields.empty() || fields.back().first.ends_with(':')) fields.emplace_back();
    fields.back().first.append(at, length);
    return 0;
}

int on_field_name_end(llhttp_t* parser) { return current_fields(parser).back().first.push_back(':'), 0; }

int on_field_value(llhttp_t* parser, const char* at, size_t length) {
    return current_fields(parser).back().second.append(at, length), 0;
}

int on_body(llhttp_t* parser, const char* at, size_t length) {
    return listening(parser).heard.payload.append(at, length), 0;
}

int on_head_end(llhttp_t* parser) {
    Listening& to = listening(parser);
    to.head_done = true;
    to.heard.status = parser->status_code;
    to.heard.minor_version = parser->http_minor;
    to.heard.chunked = (parser->flags & F_CHUNKED) != 0;
    to.heard.has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
    to.heard.length = parser->content_length;
    to.heard.upgrade = parser->upgrade != 0;
    to.heard.keep_alive = parser->type == HTTP_RESPONSE || llhttp_should_keep_alive(parser) != 0;
    return 0;
}

int on_message_end(llhttp_t* parser) { return listening(parser).message_done = true, 0; }

const llhttp_settings_t& settings() {
    static const llhttp_settings_t made = [] {
        llhttp_settings_t s;
        llhttp_settings_init(&s);
        s.on_method = on_method;
        s.on_url = on_url;
        s.on_header_field = on_field_name;
        s.on_header_field_complete = on_field_name_end;
        s.on_header_value = on_field_value;
        s.on_body = on_body;
        s.on_headers_complete = on_head_end;
        s.on_message_complete = on_message_end;
        return s;
    }();
    return made;
}

Ending ending(bool before_last_byte, bool after_it) {
    if (before_last_byte) return Ending::too_early;
    return after_it ? Ending::with_last_byte : Ending::not_reached;
}

/// Takes off the mark behind a name, and the trailing white space that llhttp leaves to its callers.
void tidy(std::vector<TextField>& fields) {
    for (auto& [name, value] : fields) {
        if (name.ends_with(':')) name.pop_back();
        value.erase(value.find_last_not_of(" \t") + 1);
    }
}

}  // namespace

std::optional<Heard> hear(MessageKind kind, std::string_view bytes) {
    Listening to;
    llhttp_t parser;
    llhttp_init(&parser, kind == MessageKind::request ? HTTP_REQUEST : HTTP_RESPONSE, &settings());
    parser.data = &to;

    const size_t early = bytes.empty() ? 0 : bytes.size() - 1;
    llhttp_errno error = llhttp_execute(&parser, bytes.data(), early);
    const bool head_early = to.head_done;
    const bool message_early = to.message_done;
    if (error == HPE_OK) error = llhttp_execute(&parser, bytes.data() + early, bytes.size() - early);

    to.heard.head = ending(head_early, to.head_done);
    to.heard.message = ending(message_early, to.message_done);
    if (error != HPE_OK && error != HPE_PAUSED_UPGRADE) to.heard.error = llhttp_errno_name(error);
    tidy(to.heard.fields);
    tidy(to.heard.trailers);
    return std::move(to.heard);
}

bool llhttp_knows_method(std::string_view name) {
#define SAME_NAME(number, symbol, text) \
    if (name == #text) return true;
    HTTP_METHOD_MAP(SAME_NAME)
#undef SAME_NAME
    return false;
}

}  // namespace weir::fuzz
