#include "http/local_reply.h"

#include <algorithm>
#include <charconv>
#include <concepts>
#include <utility>

namespace weir::http {
namespace {

std::string_view type_uri(ProblemType type) {
    switch (type) {
        case ProblemType::about_blank: return "about:blank";
        case ProblemType::quota_exceeded:
            return "https://iana.org/assignments/http-problem-types#quota-exceeded";
        case ProblemType::reduced_capacity:
            return "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";
    }
    return "";
}

/// RFC 9457, 3.1.3: the title belongs to the type and is the same in all its answers; that of about:blank is
/// the status phrase (4.2.1).
std::string_view title_of(const ReasonText& text) {
    switch (text.type) {
        case ProblemType::about_blank: return status_phrase(text.status);
        case ProblemType::quota_exceeded: return "Quota Exceeded";
        case ProblemType::reduced_capacity: return "Temporary Reduced Capacity";
    }
    return "";
}

void append_number(std::integral auto value, std::string& out) {
    char digits[24];
    const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, static_cast<size_t>(end - digits));
}

}  // namespace

/// Views rather than literals: their lengths need not be counted at run time.
void problem_json(const LocalReply& reply, std::string& out) {
    using std::string_view_literals::operator""sv;
    const ReasonText& text = text_of(reply.reason);
    out.assign(R"({"type":")"sv).append(type_uri(text.type));
    out.append(R"(","title":")"sv).append(title_of(text));
    out.append(R"(","status":)"sv);
    append_number(text.status, out);
    out.append(R"(,"detail":")"sv);
    append_escaped(Escaping::json, reply.detail, out);
    out.append(R"(","reason":")"sv).append(text.slug);
    if (!reply.rule.empty()) {
        out.append(R"(","rule":")"sv);
        append_escaped(Escaping::json, reply.rule, out);
    }
    out.append(R"(","request_id":")"sv);
    append_escaped(Escaping::json, reply.request_id, out);
    out.append("\""sv);
    if (reply.retry_after) {
        out.append(R"(,"retry_after":)"sv);
        append_number(retry_after_seconds(*reply.retry_after), out);
    }
    if (text.type == ProblemType::quota_exceeded && !reply.rule.empty()) {
        out.append(R"(,"violated-policies":[")"sv);
        append_escaped(Escaping::json, reply.rule, out);
        out.append("\"]"sv);
    }
    out.append("}\n"sv);
}

std::string problem_json(const LocalReply& reply) {
    std::string out;
    problem_json(reply, out);
    return out;
}

BodyTemplate::BodyTemplate(std::string content_type, std::vector<BodyPiece> pieces)
    : content_type_(std::move(content_type)),
      pieces_(std::move(pieces)),
      escaping_(escaping_for(content_type_)) {}

void BodyTemplate::write(const LocalReply& reply, std::string& out) const {
    const ReasonText& text = text_of(reply.reason);
    out.clear();
    for (const BodyPiece& piece : pieces_) {
        switch (piece.kind) {
            case BodyPiece::Kind::text: out.append(piece.text); break;
            case BodyPiece::Kind::status: append_number(text.status, out); break;
            case BodyPiece::Kind::reason: out.append(text.slug); break;
            case BodyPiece::Kind::detail: append_escaped(escaping_, reply.detail, out); break;
            case BodyPiece::Kind::request_id: append_escaped(escaping_, reply.request_id, out); break;
        }
    }
}

int64_t retry_after_seconds(Duration wait) {
    return std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
}

}  // namespace weir::http
