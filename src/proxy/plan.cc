#include "proxy/plan.h"

#include <utility>
#include <vector>

namespace weir::proxy {

http::CorsPolicy cors_policy_of(const config::Cors& cors) {
    return {.origins = cors.origins,
            .methods = cors.methods,
            .headers = cors.headers,
            .expose = cors.expose,
            .credentials = cors.credentials,
            .max_age = cors.max_age};
}

namespace {

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

std::string host_of(const Endpoint& server) { return server.is_unix() ? "localhost" : to_string(server); }

/// The same one where nothing about the servers changes: then it also knows who was ejected. Certificates are
/// read anew.
std::shared_ptr<Fleet> fleet_of(const config::Settings& settings, const Surroundings& around,
                                const Plan* before) {
    const Fleet* former = nullptr;
    if (before != nullptr) {
        const config::Settings& was = before->settings;
        const bool stays = was.upstream.servers == settings.upstream.servers &&
                           was.upstream.retry == settings.upstream.retry && was.health == settings.health;
        if (stays && !around.tls) return before->fleet;
        former = before->fleet.get();
    }
    return std::make_shared<Fleet>(settings, around.workers, around.tls, former);
}

}  // namespace

Plan::Plan(config::Settings settings_, Surroundings surroundings_, const Plan* before)
    : settings(std::move(settings_)),
      around(std::move(surroundings_)),
      rules(settings, around.seed, before == nullptr ? nullptr : &before->rules),
      fleet(fleet_of(settings, around, before)),
      identity(settings.clients),
      cors(cors_policy_of(settings.cors)),
      public_answers(settings.public_paths),
      own_body(template_of(settings.errors)),
      default_host_(host_of(settings.upstream.servers.front().address)) {}

std::string_view Plan::host_for(const http::RequestHead& head) const {
    if (!settings.upstream.host.empty()) return settings.upstream.host;
    return head.authority.empty() ? std::string_view(default_host_) : std::string_view();
}

}  // namespace weir::proxy
