#include "http/cors.h"

#include <algorithm>
#include <utility>

#include "http/char_class.h"

namespace weir::http {
namespace {

constexpr std::string_view kOrigin = "Origin";
constexpr std::string_view kPrefix = "Access-Control-";
constexpr std::string_view kRequestMethod = "Access-Control-Request-Method";
constexpr std::string_view kRequestHeaders = "Access-Control-Request-Headers";

bool is_any(const std::vector<std::string>& list) { return list.size() == 1 && list.front() == "*"; }

std::string joined(const std::vector<std::string>& list) {
    std::string text;
    for (const std::string& member : list) text.append(text.empty() ? "" : ", ").append(member);
    return text;
}

bool is_of_cors(const Field& field) {
    return equals_ignoring_case(field.name.substr(0, kPrefix.size()), kPrefix);
}

/// What a browser may have sent: nothing else is repeated in an answer.
bool is_list_of_names(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is(c, kToken) || c == ',' || c == ' ' || c == '\t'; });
}

bool varies_by_origin(const std::vector<Field>& fields) {
    return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
        return equals_ignoring_case(field.name, "Vary") &&
               (lists_token(field.value, kOrigin) || lists_token(field.value, "*"));
    });
}

void add(std::vector<Field>& fields, std::string_view name, std::string_view value) {
    if (!value.empty()) fields.push_back({.name = name, .value = value});
}

}  // namespace

Cors::Cors(CorsPolicy policy)
    : any_origin_(is_any(policy.origins)),
      any_header_(is_any(policy.headers)),
      credentials_(policy.credentials && !any_origin_),
      methods_(joined(policy.methods)),
      headers_(joined(policy.headers)),
      expose_(joined(policy.expose)),
      max_age_(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(policy.max_age).count())) {
    if (!any_origin_) origins_ = std::move(policy.origins);
    std::sort(origins_.begin(), origins_.end());
}

CorsRequest Cors::read(const RequestHead& head) const {
    CorsRequest request;
    if (is_off()) return request;
    size_t origins = 0;
    bool asks_for_method = false;
    for (const Field& field : head.fields) {
        if (field.id != FieldId::other) continue;
        if (equals_ignoring_case(field.name, kOrigin)) {
            request.origin = ++origins == 1 ? field.value : std::string_view();
        } else if (equals_ignoring_case(field.name, kRequestMethod)) {
            asks_for_method = true;
        } else if (equals_ignoring_case(field.name, kRequestHeaders)) {
            request.headers = field.value;
        }
    }
    const bool is_preflight = head.method == Method::options && origins > 0 && asks_for_method;
    request.kind = is_preflight ? CorsRequest::Kind::preflight : CorsRequest::Kind::ordinary;
    return request;
}

std::string_view Cors::allowed_origin(std::string_view origin) const {
    if (any_origin_) return "*";
    const auto found = std::lower_bound(origins_.begin(), origins_.end(), origin);
    return found != origins_.end() && *found == origin ? std::string_view(*found) : std::string_view();
}

void Cors::add_preflight_fields(const CorsRequest& request, std::vector<Field>& fields) const {
    if (request.kind == CorsRequest::Kind::off) return;
    add(fields, "Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    const std::string_view origin = allowed_origin(request.origin);
    if (origin.empty()) return;
    add(fields, "Access-Control-Allow-Origin", origin);
    if (credentials_) add(fields, "Access-Control-Allow-Credentials", "true");
    add(fields, "Access-Control-Allow-Methods", methods_);
    // "*" itself would leave out Authorization, and mean nothing where credentials are allowed.
    const bool may_repeat = any_header_ && is_list_of_names(request.headers);
    const std::string_view allowed = any_header_ ? std::string_view() : std::string_view(headers_);
    add(fields, "Access-Control-Allow-Headers", may_repeat ? request.headers : allowed);
    add(fields, "Access-Control-Max-Age", max_age_);
}

void Cors::replace_fields(const CorsRequest& request, std::vector<Field>& fields) const {
    if (request.kind == CorsRequest::Kind::off) return;
    std::erase_if(fields, is_of_cors);
    // A cache must not hand the answer for one origin to another, nor to one that named none.
    if (!any_origin_ && !varies_by_origin(fields)) add(fields, "Vary", kOrigin);
    const std::string_view origin = allowed_origin(request.origin);
    if (origin.empty()) return;
    add(fields, "Access-Control-Allow-Origin", origin);
    if (credentials_) add(fields, "Access-Control-Allow-Credentials", "true");
    add(fields, "Access-Control-Expose-Headers", expose_);
}

}  // namespace weir::http
