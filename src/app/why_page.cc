#include "app/why_page.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include <nlohmann/json.hpp>

#include "app/advice.h"
#include "http/local_reply.h"

namespace weir::app {

namespace {

using Json = nlohmann::ordered_json;
using proxy::NotableRequest;
using Text = NotableRequest::Text;

std::optional<NotableRequest> find(const Overview& overview, std::string_view request_id) {
    std::optional<NotableRequest> newest;
    for (const proxy::NotableRequests* worker : overview.notable_requests) {
        auto found = worker->find(request_id);
        if (found && (!newest || found->time > newest->time)) newest = found;
    }
    return newest;
}

std::string text_of(WallTime time) {
    const auto micros = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch());
    const auto whole = std::chrono::floor<std::chrono::seconds>(micros);
    return fmt::format("{:%FT%T}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(whole.count())),
                       (micros - whole).count());
}

void add(Json& json, const char* name, std::string_view text) {
    if (!text.empty()) json[name] = text;
}

void add(Json& json, const char* name, Duration duration) {
    if (duration < Duration::zero()) return;
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    json[name] = static_cast<double>(micros) / 1000;
}

void add_shadow(Json& json, std::string_view names) {
    while (!names.empty()) {
        const size_t space = std::min(names.find(' '), names.size());
        json["shadow"].push_back(names.substr(0, space));
        names.remove_prefix(std::min(space + 1, names.size()));
    }
}

void add_outcome(Json& json, const NotableRequest& request) {
    json["status"] = request.status;
    if (request.refusal) json["reason"] = http::text_of(*request.refusal).slug;
    add(json, "cut", request.text(Text::cut));
    add(json, "rule", request.text(Text::rule));
    add_shadow(json, request.text(Text::shadow));
    add(json, "detail", request.text(Text::detail));
    if (request.refusal) json["meaning"] = http::meaning_of(*request.refusal);
    if (request.retry_after >= Duration::zero())
        json["retry_after"] = http::retry_after_seconds(request.retry_after);
    add(json, "what_to_do", advice_for(request));
}

void add_times(Json& json, const NotableRequest& request) {
    add(json, "queue_ms", request.queue);
    add(json, "hold_ms", request.hold);
    add(json, "connect_ms", request.connect);
    add(json, "first_byte_ms", request.first_byte);
    add(json, "total_ms", request.total);
    if (request.slow) json["slow"] = true;
    json["retries"] = request.retries;
    add(json, "server", request.text(Text::server));
}

}  // namespace

std::optional<std::string> why_json(const Overview& overview, std::string_view request_id) {
    const auto request = find(overview, request_id);
    if (!request) return std::nullopt;
    Json json{{"request_id", request->text(Text::request_id)}, {"time", text_of(request->time)}};
    json["client"] = request->text(Text::client);
    add(json, "method", request->text(Text::method));
    add(json, "path", request->text(Text::path));
    add(json, "route", request->text(Text::route));
    add_outcome(json, *request);
    add_times(json, *request);
    // A head that was refused may hold any bytes.
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weir::app
