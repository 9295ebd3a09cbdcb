#include "http/local_reply.h"

#include <algorithm>
#include <utility>

#include "http/out.h"

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

/// Names and punctuation of all members, type, title, slug and numbers.
constexpr size_t kProblemFrame = 512;
constexpr size_t kMostDigits = 20;

size_t problem_bound(const LocalReply& reply) {
    return kProblemFrame + escaped_bound(reply.detail) + 2 * escaped_bound(reply.rule) +
           escaped_bound(reply.request_id);
}

char* make_room(size_t bytes, std::string& room) {
    if (room.size() < bytes) room.resize(bytes);
    return room.data();
}

}  // namespace

std::string_view problem_json(const LocalReply& reply, std::string& room) {
    const ReasonText& text = text_of(reply.reason);
    Out out(make_room(problem_bound(reply), room));
    const auto escaped = [&](std::string_view part) { write_escaped(Escaping::json, part, out); };
    out.text(R"({"type":")");
    out.text(type_uri(text.type));
    out.text(R"(","title":")");
    out.text(title_of(text));
    out.text(R"(","status":)");
    out.number(text.status);
    out.text(R"(,"detail":")");
    escaped(reply.detail);
    out.text(R"(","reason":")");
    out.text(text.slug);
    if (!reply.rule.empty()) {
        out.text(R"(","rule":")");
        escaped(reply.rule);
    }
    out.text(R"(","request_id":")");
    escaped(reply.request_id);
    out.text("\"");
    if (reply.retry_after) {
        out.text(R"(,"retry_after":)");
        out.number(static_cast<uint64_t>(retry_after_seconds(*reply.retry_after)));
    }
    if (text.type == ProblemType::quota_exceeded && !reply.rule.empty()) {
        out.text(R"(,"violated-policies":[")");
        escaped(reply.rule);
        out.text("\"]");
    }
    out.text("}\n");
    return {room.data(), out.size()};
}

std::string problem_json(const LocalReply& reply) {
    std::string room;
    return std::string(problem_json(reply, room));
}

BodyTemplate::BodyTemplate(std::string content_type, std::vector<BodyPiece> pieces)
    : content_type_(std::move(content_type)),
      pieces_(std::move(pieces)),
      escaping_(escaping_for(content_type_)) {}

size_t BodyTemplate::bound(const LocalReply& reply) const {
    size_t bound = 0;
    for (const BodyPiece& piece : pieces_) {
        switch (piece.kind) {
            case BodyPiece::Kind::text: bound += piece.text.size(); break;
            case BodyPiece::Kind::status: bound += kMostDigits; break;
            case BodyPiece::Kind::reason: bound += text_of(reply.reason).slug.size(); break;
            case BodyPiece::Kind::detail: bound += escaped_bound(reply.detail); break;
            case BodyPiece::Kind::request_id: bound += escaped_bound(reply.request_id); break;
        }
    }
    return bound;
}

std::string_view BodyTemplate::write(const LocalReply& reply, std::string& room) const {
    const ReasonText& text = text_of(reply.reason);
    Out out(make_room(bound(reply), room));
    for (const BodyPiece& piece : pieces_) {
        switch (piece.kind) {
            case BodyPiece::Kind::text: out.text(piece.text); break;
            case BodyPiece::Kind::status: out.number(text.status); break;
            case BodyPiece::Kind::reason: out.text(text.slug); break;
            case BodyPiece::Kind::detail: write_escaped(escaping_, reply.detail, out); break;
            case BodyPiece::Kind::request_id: write_escaped(escaping_, reply.request_id, out); break;
        }
    }
    return {room.data(), out.size()};
}

int64_t retry_after_seconds(Duration wait) {
    return std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
}

}  // namespace weir::http
