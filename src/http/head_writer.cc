#include "http/head_writer.h"

#include "http/field_id.h"
#include "http/governing_fields.h"
#include "http/out.h"

namespace weir::http {
namespace {

constexpr std::string_view kForwardedFor = "X-Forwarded-For";
constexpr std::string_view kForwardedProto = "X-Forwarded-Proto";
constexpr std::string_view kForwardedHost = "X-Forwarded-Host";
constexpr std::string_view kJoint = ", ";
constexpr std::string_view kClientCertificate = "X-Client-Cert-Subject";
constexpr std::string_view kRealIp = "X-Real-IP";
constexpr std::string_view kRequestIdName = "X-Request-ID";

size_t field_size(std::string_view name, std::string_view value) {
    return name.size() + value.size() + kFieldOverhead;
}

/// Fields of the client's that are written anew, or not at all, by their name with "_" read as "-".
/// SCRIPT_NAME and PATH_INFO, where gunicorn lets them, make the app serve another path than the one that was
/// routed.
bool is_replaced(FieldId folded, const RequestFacts& facts) {
    switch (folded) {
        case FieldId::other:
        case FieldId::content_type:
        case FieldId::date:
        case FieldId::grpc_timeout:
        case FieldId::referer:
        case FieldId::server:
        case FieldId::traceparent:
        case FieldId::trailer:
        case FieldId::user_agent:
        case FieldId::x_request_timeout: return false;
        case FieldId::content_length:
        case FieldId::expect:
        case FieldId::forwarded:
        case FieldId::host:
        case FieldId::path_info:
        case FieldId::script_name:
        case FieldId::x_client_cert_subject:
        case FieldId::x_forwarded_for:
        case FieldId::x_forwarded_host:
        case FieldId::x_forwarded_proto:
        case FieldId::x_real_ip:
        case FieldId::x_request_id: return true;
        case FieldId::x_request_deadline: return facts.drop_deadline;
        case FieldId::x_request_start: return facts.drop_request_start;
        case FieldId::connection:
        case FieldId::keep_alive:
        case FieldId::proxy_authenticate:
        case FieldId::proxy_authorization:
        case FieldId::proxy_connection:
        case FieldId::te:
        case FieldId::transfer_encoding:
        case FieldId::upgrade: return true;
    }
    return true;
}

bool is_sent_on(const Field& field, const RequestFacts& facts, const ConnectionNames& named) {
    const FieldId folded = field.id == FieldId::other ? folded_field_id_of(field.name) : field.id;
    return !is_replaced(folded, facts) && !is_x_forwarded(field.name) && !named.contain(field.name);
}

std::string_view host_of(const RequestHead& head, const RequestFacts& facts) {
    return facts.host.empty() ? head.authority : facts.host;
}

std::string_view forwarded_host_of(const RequestHead& head, const RequestFacts& facts) {
    return facts.forwarded_host.empty() ? head.authority : facts.forwarded_host;
}

/// The proxies that a request came through, each written by the next one: what a trusted proxy has received
/// stays as it is, and the proxy itself is added. Where it says nothing, the chain begins with the client.
void write_forwarded_for(const RequestHead& head, const RequestFacts& facts, Out& out) {
    if (facts.proxy_address.empty()) return out.field(kForwardedFor, facts.client_address);
    out.text(kForwardedFor);
    out.text(": ");
    bool has_begun = false;
    for (const Field& field : head.fields) {
        if (field.id != FieldId::x_forwarded_for || field.value.empty()) continue;
        out.text(field.value);
        out.text(kJoint);
        has_begun = true;
    }
    if (!has_begun && facts.client_address != facts.proxy_address) {
        out.text(facts.client_address);
        out.text(kJoint);
    }
    out.text(facts.proxy_address);
    out.line_end();
}

void write_hop_by_hop(const RequestHead& head, Out& out) {
    const bool is_upgrade = !head.upgrade.empty();
    if (is_upgrade) out.field("Upgrade", head.upgrade);
    if (head.te_trailers) out.field("TE", "trailers");
    if (is_upgrade && head.te_trailers) {
        out.field("Connection", "Upgrade, TE");
    } else if (is_upgrade) {
        out.field("Connection", "Upgrade");
    } else if (head.te_trailers) {
        out.field("Connection", "TE");
    }
}

}  // namespace

size_t request_head_bound(const RequestHead& head, const RequestFacts& facts) {
    constexpr size_t kRequestLineOverhead = std::string_view("  HTTP/1.1\r\n").size();
    constexpr size_t kHopByHop =
        std::string_view("Upgrade: \r\nTE: trailers\r\nConnection: Upgrade, TE\r\n").size();
    size_t bound = head.method_name.size() + head.path_and_query.size() + kRequestLineOverhead;
    bound += field_size("Host", host_of(head, facts));
    for (const Field& field : head.fields) bound += field_size(field.name, field.value);
    bound += head.upgrade.size() + kHopByHop;
    // What is joined in X-Forwarded-For was a line of its own, and has been counted.
    bound += field_size(kForwardedFor, facts.client_address) + facts.proxy_address.size() + kJoint.size();
    bound += field_size(kForwardedProto, facts.scheme);
    bound += field_size(kForwardedHost, forwarded_host_of(head, facts));
    bound += field_size(kClientCertificate, facts.client_certificate);
    bound += field_size(kRealIp, facts.client_address) + field_size(kRequestIdName, facts.request_id);
    return bound + kMaxFraming;
}

size_t write_request_head(const RequestHead& head, const RequestFacts& facts, char* begin) {
    Out out(begin);
    out.text(head.method_name);
    out.text(" ");
    out.text(head.path_and_query);
    out.text(" HTTP/1.1\r\n");
    out.field("Host", host_of(head, facts));

    const ConnectionNames named(head.fields);
    for (const Field& field : head.fields) {
        if (is_sent_on(field, facts, named)) out.field(field);
    }
    write_hop_by_hop(head, out);
    write_forwarded_for(head, facts, out);
    out.field(kForwardedProto, facts.scheme);
    const std::string_view forwarded_host = forwarded_host_of(head, facts);
    if (!forwarded_host.empty()) out.field(kForwardedHost, forwarded_host);
    out.field(kRealIp, facts.client_address);
    if (!facts.client_certificate.empty()) out.field(kClientCertificate, facts.client_certificate);
    out.field(kRequestIdName, facts.request_id);
    return out.size();
}

size_t write_request_framing(Method method, Body body, char* begin) {
    Out out(begin);
    switch (body.framing) {
        case Framing::length:
            out.text("Content-Length: ");
            out.number(body.length);
            out.line_end();
            break;
        case Framing::chunked: out.field("Transfer-Encoding", "chunked"); break;
        case Framing::until_close:  // no request is framed so: its sender could not read the answer
        case Framing::none: {
            // RFC 9110, 8.6: where the method anticipates content, its absence is stated.
            const bool suggests_body =
                method == Method::post || method == Method::put || method == Method::patch;
            if (suggests_body) out.field("Content-Length", "0");
            break;
        }
    }
    out.line_end();
    return out.size();
}

bool is_hop_by_hop(FieldId id) {
    switch (id) {
        case FieldId::connection:
        case FieldId::keep_alive:
        case FieldId::proxy_authenticate:
        case FieldId::proxy_authorization:
        case FieldId::proxy_connection:
        case FieldId::te:
        case FieldId::transfer_encoding:
        case FieldId::upgrade: return true;
        case FieldId::other:
        case FieldId::content_length:
        case FieldId::content_type:
        case FieldId::date:
        case FieldId::expect:
        case FieldId::forwarded:
        case FieldId::grpc_timeout:
        case FieldId::host:
        case FieldId::path_info:
        case FieldId::referer:
        case FieldId::script_name:
        case FieldId::server:
        case FieldId::traceparent:
        case FieldId::trailer:
        case FieldId::user_agent:
        case FieldId::x_client_cert_subject:
        case FieldId::x_forwarded_for:
        case FieldId::x_forwarded_host:
        case FieldId::x_forwarded_proto:
        case FieldId::x_real_ip:
        case FieldId::x_request_deadline:
        case FieldId::x_request_id:
        case FieldId::x_request_start:
        case FieldId::x_request_timeout: return false;
    }
    return false;
}

}  // namespace weir::http
