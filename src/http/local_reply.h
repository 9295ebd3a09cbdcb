// The answers weir gives in the app's stead: application/problem+json (RFC 9457), or what the operator wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/escape.h"
#include "http/reason.h"

namespace weir::http {

struct LocalReply {
    Reason reason = Reason::bad_request;
    std::string_view rule{};      ///< the name of the rule that decided; "" where none did
    std::string_view detail;      ///< one sentence that says what was wrong with this very request
    std::string_view request_id;  ///< "" where the request never got one
    std::optional<Duration> retry_after;
};

/// JSON text, with a newline behind it: type, title, status, detail, reason, request_id; rule and retry_after
/// (in seconds) where they are known; and the member violated-policies that the type "quota-exceeded" defines
/// (draft-ietf-httpapi-ratelimit-headers-10, 5.1). Whatever the parts hold, the text is valid JSON in valid
/// UTF-8.
///
/// It is written into `room`, and what is returned is a view of that. The room grows where it has to and
/// never shrinks: under a flood nothing is allocated.
[[nodiscard]] std::string_view problem_json(const LocalReply&, std::string& room);
[[nodiscard]] std::string problem_json(const LocalReply&);

/// A stretch of the operator's text, or what stands in its place in each answer.
struct BodyPiece {
    enum class Kind : uint8_t { text, status, reason, detail, request_id };
    Kind kind = Kind::text;
    std::string text;  ///< only with Kind::text
};

/// The operator's own body. The text goes out as it is; what is put in is escaped as the content type needs
/// it. Immutable.
class BodyTemplate {
  public:
    BodyTemplate(std::string content_type, std::vector<BodyPiece> pieces);

    [[nodiscard]] const std::string& content_type() const { return content_type_; }
    /// Into `room`, as problem_json() does.
    [[nodiscard]] std::string_view write(const LocalReply&, std::string& room) const;

  private:
    [[nodiscard]] size_t bound(const LocalReply&) const;

    std::string content_type_;
    std::vector<BodyPiece> pieces_;
    Escaping escaping_;
};

/// Whole seconds for Retry-After, rounded up, at least 1.
[[nodiscard]] int64_t retry_after_seconds(Duration);

}  // namespace weir::http
