#include "http/local_reply.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weir::http {

std::string problem_json(const LocalReply& reply) {
    const ReasonText& text = text_of(reply.reason);
    nlohmann::ordered_json problem = {
        {"type", "about:blank"}, {"title", status_phrase(text.status)},
        {"status", text.status}, {"detail", reply.detail},
        {"reason", text.slug},   {"request_id", reply.request_id},
    };
    if (reply.retry_after) problem["retry_after"] = retry_after_seconds(*reply.retry_after);
    // `detail` may quote what the client sent, in whatever encoding.
    return problem.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int64_t retry_after_seconds(Duration wait) {
    return std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
}

}  // namespace weir::http
