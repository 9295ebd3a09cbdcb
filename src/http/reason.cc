#include "http/reason.h"

namespace weir::http {
namespace {

constexpr ReasonText row_of(Reason reason) {
    using enum ProblemType;
    switch (reason) {
        case Reason::bad_request: return {400, "bad_request"};
        case Reason::invalid_parameter: return {400, "invalid_parameter"};
        case Reason::no_route: return {404, "no_route"};
        case Reason::method_not_allowed: return {405, "method_not_allowed"};
        case Reason::header_timeout: return {408, "header_timeout"};
        case Reason::body_timeout: return {408, "body_timeout"};
        case Reason::body_too_large: return {413, "body_too_large"};
        case Reason::uri_too_long: return {414, "uri_too_long"};
        case Reason::unsupported_media_type: return {415, "unsupported_media_type"};
        case Reason::expectation_failed: return {417, "expectation_failed"};
        case Reason::misdirected: return {421, "misdirected"};
        case Reason::header_too_large: return {431, "header_too_large"};
        case Reason::not_implemented: return {501, "not_implemented"};
        case Reason::version_not_supported: return {505, "version_not_supported"};
        case Reason::rate_limited: return {429, "rate_limited", quota_exceeded};
        case Reason::upstream_connect: return {502, "upstream_connect"};
        case Reason::upstream_reset: return {502, "upstream_reset"};
        case Reason::upstream_protocol: return {502, "upstream_protocol"};
        case Reason::upstream_unavailable: return {503, "upstream_unavailable"};
        case Reason::upstream_stall: return {504, "upstream_stall"};
        case Reason::deadline: return {504, "deadline"};
        case Reason::queue_full: return {503, "queue_full", reduced_capacity};
        case Reason::queue_timeout: return {503, "queue_timeout", reduced_capacity};
        case Reason::predicted_wait: return {503, "predicted_wait", reduced_capacity};
        case Reason::overloaded: return {503, "overloaded", reduced_capacity};
        case Reason::draining: return {503, "draining"};
    }
    return {0, ""};
}

constexpr bool is_reason(size_t value) { return row_of(static_cast<Reason>(value)).status != 0; }
static_assert(is_reason(kReasons - 1) && !is_reason(kReasons), "kReasons is how many reasons there are");

struct Rows {
    ReasonText of[kReasons];
};

constexpr Rows make_rows() {
    Rows rows{};
    for (size_t i = 0; i < kReasons; ++i) rows.of[i] = row_of(static_cast<Reason>(i));
    return rows;
}
constexpr Rows kRows = make_rows();

}  // namespace

const ReasonText& text_of(Reason reason) { return kRows.of[static_cast<size_t>(reason)]; }

std::string_view meaning_of(Reason reason) {
    switch (reason) {
        case Reason::bad_request: return "the request breaks the rules of HTTP, or could be read in two ways";
        case Reason::invalid_parameter: return "a parameter is not what its route takes";
        case Reason::no_route: return "no route takes such a request";
        case Reason::method_not_allowed: return "this method is not allowed here";
        case Reason::header_timeout: return "the request's head did not arrive in time";
        case Reason::body_timeout: return "the request's body stalled, came too slowly, or not in time";
        case Reason::body_too_large: return "the request's body is larger than allowed";
        case Reason::uri_too_long: return "the request's target is longer than allowed";
        case Reason::unsupported_media_type: return "the route takes no body of this type";
        case Reason::expectation_failed: return "the client expects something other than 100-continue";
        case Reason::misdirected: return "the request is for a host that is not served here";
        case Reason::header_too_large: return "the request's head has too many bytes or fields";
        case Reason::not_implemented: return "weir does not serve this method";
        case Reason::version_not_supported: return "the request is neither HTTP/1.0 nor HTTP/1.1";
        case Reason::rate_limited: return "the client has used up what a rate lets it ask for";
        case Reason::upstream_connect: return "no connection to the app could be made";
        case Reason::upstream_reset: return "the app closed the connection before its answer was there";
        case Reason::upstream_protocol: return "the app's answer is not sound HTTP";
        case Reason::upstream_unavailable:
            return "no server of the app could be reached for as long as the request could wait";
        case Reason::upstream_stall: return "the app was silent for too long";
        case Reason::deadline: return "the request's total time was over before the app had answered";
        case Reason::queue_full: return "as many requests waited for the app as may";
        case Reason::queue_timeout: return "the request waited for the app for as long as it may";
        case Reason::predicted_wait: return "the request would have had to wait for the app for too long";
        case Reason::overloaded: return "too much memory was held for other requests";
        case Reason::draining: return "weir was about to end";
    }
    return "";
}

std::string_view status_phrase(uint16_t status) {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 102: return "Processing";
        case 103: return "Early Hints";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 203: return "Non-Authoritative Information";
        case 204: return "No Content";
        case 205: return "Reset Content";
        case 206: return "Partial Content";
        case 207: return "Multi-Status";
        case 208: return "Already Reported";
        case 226: return "IM Used";
        case 300: return "Multiple Choices";
        case 301: return "Moved Permanently";
        case 302: return "Found";
        case 303: return "See Other";
        case 304: return "Not Modified";
        case 305: return "Use Proxy";
        case 307: return "Temporary Redirect";
        case 308: return "Permanent Redirect";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 402: return "Payment Required";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 406: return "Not Acceptable";
        case 407: return "Proxy Authentication Required";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 415: return "Unsupported Media Type";
        case 416: return "Range Not Satisfiable";
        case 417: return "Expectation Failed";
        case 421: return "Misdirected Request";
        case 422: return "Unprocessable Content";
        case 423: return "Locked";
        case 424: return "Failed Dependency";
        case 425: return "Too Early";
        case 426: return "Upgrade Required";
        case 428: return "Precondition Required";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 451: return "Unavailable For Legal Reasons";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        case 506: return "Variant Also Negotiates";
        case 507: return "Insufficient Storage";
        case 508: return "Loop Detected";
        case 511: return "Network Authentication Required";
        default: return "";
    }
}

}  // namespace weir::http
