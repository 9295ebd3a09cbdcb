#include "proxy/kit.h"

#include "proxy/client_h1.h"
#include "proxy/h2_stream.h"

namespace weir::proxy {

namespace {

http::CorsPolicy policy_of(const config::Cors& cors) {
    return {.origins = cors.origins,
            .methods = cors.methods,
            .headers = cors.headers,
            .expose = cors.expose,
            .credentials = cors.credentials,
            .max_age = cors.max_age};
}

http::BodyPiece::Kind kind_of(config::BodyPiece::Kind kind) {
    using From = config::BodyPiece::Kind;
    using To = http::BodyPiece::Kind;
    switch (kind) {
        case From::text: return To::text;
        case From::status: return To::status;
        case From::reason: return To::reason;
        case From::detail: return To::detail;
        case From::request_id: return To::request_id;
    }
    return To::text;
}

std::optional<http::BodyTemplate> template_of(const config::Errors& errors) {
    if (errors.format == config::ErrorFormat::problem) return std::nullopt;
    std::vector<http::BodyPiece> pieces;
    for (const config::BodyPiece& piece : errors.body)
        pieces.push_back({.kind = kind_of(piece.kind), .text = piece.text});
    return http::BodyTemplate(errors.content_type, std::move(pieces));
}

}  // namespace

Kit::Kit(net::Loop& loop_, const config::Settings& settings_, MemoryBudget& budget_, ConnectionGate& gate_,
         Rules& rules_, Fleet& fleet_, LogWriter* log_writer, std::array<uint64_t, 2> id_seeds)
    : loop(loop_),
      settings(settings_),
      budget(budget_),
      gate(gate_),
      rules(rules_),
      fleet(fleet_),
      blocks(budget_),
      access_log(log_writer, settings_.log.format),
      metrics(rules_, settings_.upstream.servers.size()),
      ids(id_seeds[0], id_seeds[1]),
      remote_tasks(loop_),
      identity(settings_.clients),
      cors(policy_of(settings_.cors)),
      public_answers(settings_.public_paths),
      own_body(template_of(settings_.errors)) {
    const Endpoint& server = settings.upstream.servers.front().address;
    default_host = server.is_unix() ? "localhost" : to_string(server);
}

Kit::~Kit() = default;

std::string_view Kit::host_for(const http::RequestHead& head) const {
    if (!settings.upstream.host.empty()) return settings.upstream.host;
    return head.authority.empty() ? std::string_view(default_host) : std::string_view();
}

std::span<char> Kit::read_room() {
    return {slab.data(), budget.exhausted() ? kPressedReadBytes : slab.size()};
}

http::RequestHead& Kit::blank_request() {
    auto fields = std::move(request_scratch.fields);
    fields.clear();
    request_scratch = {};
    request_scratch.fields = std::move(fields);
    return request_scratch;
}

http::ResponseHead& Kit::blank_response(uint16_t status) {
    auto fields = std::move(response_scratch.fields);
    fields.clear();
    response_scratch = {};
    response_scratch.fields = std::move(fields);
    response_scratch.status = status;
    return response_scratch;
}

}  // namespace weir::proxy
