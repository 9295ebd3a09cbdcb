#include "proxy/public_answers.h"

#include "http/reason.h"
#include "http/target.h"
#include "proxy/kit.h"
#include "proxy/queue_stats.h"

namespace weir::proxy {

namespace {

constexpr PublicAnswer kServing{.status = 200, .body = "{\"status\":\"ok\"}\n"};

PublicAnswer health_of(const Kit& kit) {
    if (!kit.draining) return kServing;
    const http::ReasonText& text = http::text_of(http::Reason::draining);
    return {.status = text.status, .body = "{\"status\":\"draining\"}\n", .reason = text.slug};
}

/// What normalising may change begins with one of these.
bool may_change(std::string_view path) {
    return path.find('%') != path.npos || path.find("//") != path.npos || path.find("/.") != path.npos;
}

}  // namespace

bool PublicAnswers::has(std::string_view path) const {
    const auto is_own = [this](std::string_view normal) {
        return !normal.empty() && (normal == paths_.health || normal == paths_.queue_stats);
    };
    if (!may_change(path)) return is_own(path);
    const auto normal = http::normalise_path(path);
    return normal && is_own(*normal);
}

std::optional<PublicAnswer> PublicAnswers::at(std::string_view path, Kit& kit) const {
    if (!may_change(path)) return at_normal(path, kit);
    auto normal = http::normalise_path(path);
    return normal ? at_normal(*normal, kit) : std::nullopt;
}

std::optional<PublicAnswer> PublicAnswers::at_normal(std::string_view path, Kit& kit) const {
    if (path == paths_.health) return health_of(kit);
    if (path == paths_.queue_stats) {
        write_queue_stats(kit.plan().rules, kit.reply_text);
        return PublicAnswer{.body = kit.reply_text};
    }
    return std::nullopt;
}

}  // namespace weir::proxy
