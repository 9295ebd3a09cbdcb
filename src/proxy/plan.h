// One configuration, made ready to serve by: what connections ask instead of the settings' bare values.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/siphash.h"
#include "config/settings.h"
#include "http/cors.h"
#include "http/local_reply.h"
#include "http/message.h"
#include "net/tls_context.h"
#include "proxy/fleet.h"
#include "proxy/identity.h"
#include "proxy/log_writer.h"
#include "proxy/public_answers.h"
#include "proxy/rules.h"

namespace weir::proxy {

[[nodiscard]] http::CorsPolicy cors_policy_of(const config::Cors& cors);

/// What a plan needs besides the configuration.
struct Surroundings {
    HashSeed seed;  ///< of all keys; the same for every plan of a process
    size_t workers = 1;
    std::shared_ptr<const net::TlsClientContext> tls{};  ///< to the app; null where no server has https
    std::shared_ptr<LogWriter> log_writer{};             ///< null: there is no access log
};

/// Shared by all workers; any thread. Immutable but for what rules, fleet and identity remember.
struct Plan {
    /// `before`: the plan that holds now. What it remembers of rules and servers that stay is shared.
    Plan(config::Settings settings_, Surroundings surroundings_, const Plan* before = nullptr);
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    const config::Settings settings;
    const Surroundings around;
    Rules rules;
    const std::shared_ptr<Fleet> fleet;
    Identity identity;
    const http::Cors cors;
    const PublicAnswers public_answers;
    const std::optional<http::BodyTemplate> own_body;  ///< of weir's refusals; none: problem+json

    /// The Host to send to the app where it is not the client's: as configured, or the server's own for an
    /// HTTP/1.0 client that sent none. Empty: the client's.
    [[nodiscard]] std::string_view host_for(const http::RequestHead&) const;

  private:
    const std::string default_host_;
};

}  // namespace weir::proxy
