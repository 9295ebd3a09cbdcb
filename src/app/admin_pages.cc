#include "app/admin_pages.h"

#include <array>

#include <nlohmann/json.hpp>

#include "app/admin_page.h"
#include "app/clients_page.h"
#include "app/state_pages.h"
#include "app/summary_page.h"
#include "app/why_page.h"
#include "http/reason.h"
#include "http/target.h"
#include "net/socket.h"

namespace weir::app {

namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kNotRemembered =
    "no request with this id is remembered: of the last 10,000 that were refused, failed, slow or of note to "
    "a rule in shadow, that is; others went by unremarked, and the access log has them all";

std::string_view field_of(const http::RequestHead& head, std::string_view name) {
    for (const http::Field& field : head.fields)
        if (http::equals_ignoring_case(field.name, name)) return field.value;
    return {};
}

/// "127.0.0.1:9180", "[::1]", "localhost:9180": what no name server was asked about.
bool is_literal(std::string_view authority) {
    if (authority.starts_with('[')) return true;
    const std::string host(authority.substr(0, authority.find(':')));
    return host.empty() || http::equals_ignoring_case(host, "localhost") ||
           net::SocketAddress::literal({.host = host, .port = 1, .path = {}}).has_value();
}

/// Browsers name the page's origin in every request that may change something.
bool is_of_another_origin(const http::RequestHead& head) {
    std::string_view origin = field_of(head, "origin");
    if (origin.empty()) return false;
    const size_t scheme = origin.find("://");
    return scheme == origin.npos || origin.substr(scheme + 3) != head.authority;
}

}  // namespace

AdminAnswer admin_problem(uint16_t status, std::string_view detail) {
    const nlohmann::ordered_json body{{"type", "about:blank"},
                                      {"title", http::status_phrase(status)},
                                      {"status", status},
                                      {"detail", detail}};
    return {.status = status, .type = "application/problem+json", .body = body.dump() + "\n"};
}

bool shows_token(std::string_view authorization, std::string_view token) {
    constexpr std::string_view kScheme = "Bearer ";
    if (!http::equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
    std::string_view shown = authorization.substr(kScheme.size());
    while (shown.starts_with(' ')) shown.remove_prefix(1);
    unsigned differences = shown.size() == token.size() ? 0 : 1;
    for (size_t index = 0; index < shown.size() && !token.empty(); ++index)
        differences |= static_cast<unsigned char>(shown[index] ^ token[index % token.size()]);
    return differences == 0 && !token.empty();
}

const AdminPages::Row* AdminPages::find(std::string_view path) {
    static constexpr std::array kRows{
        Row{"/", Kind::form, &AdminPages::overview},       Row{"/metrics", Kind::page, &AdminPages::metrics},
        Row{"/livez", Kind::sign, &AdminPages::livez},     Row{"/readyz", Kind::sign, &AdminPages::readyz},
        Row{"/health", Kind::sign, &AdminPages::health},   Row{"/stats", Kind::page, &AdminPages::stats},
        Row{"/summary", Kind::page, &AdminPages::summary}, Row{"/clients", Kind::page, &AdminPages::clients},
        Row{"/limits", Kind::page, &AdminPages::limits},   Row{"/why/", Kind::each_page, &AdminPages::why},
        Row{"/config", Kind::page, &AdminPages::config},   Row{"/drain", Kind::action, &AdminPages::drain},
        Row{"/reload", Kind::action, &AdminPages::reload},
    };
    for (const Row& row : kRows)
        if (row.is_of(path)) return &row;
    return nullptr;
}

bool AdminPages::is_for_round(const http::RequestHead& head) const {
    const Row* row = find(head.path);
    if (row == nullptr || refusal_of(head, row)) return false;
    return row->kind != Kind::sign && row->kind != Kind::action;
}

std::shared_ptr<const AdminAnswer> AdminPages::answer(const http::RequestHead& head, Time now) {
    const Row* row = find(head.path);
    if (auto refusal = refusal_of(head, row)) return std::make_shared<AdminAnswer>(std::move(*refusal));
    for (const auto& [made_of, made] : made_)
        if (made_of == row) return made;
    auto made = std::make_shared<const AdminAnswer>(
        (this->*row->make)({.now = now, .rest = head.path.substr(row->path.size())}));
    if (row->kind == Kind::page || row->kind == Kind::form) made_.emplace_back(row, made);
    return made;
}

/// `row`: what was asked for, null where there is no such page.
std::optional<AdminAnswer> AdminPages::refusal_of(const http::RequestHead& head, const Row* row) const {
    const std::string& token = overview_.settings().admin.token;
    const bool tells_nothing = row != nullptr && row->kind == Kind::form;
    if (!token.empty() && !tells_nothing && !shows_token(field_of(head, "authorization"), token)) {
        AdminAnswer refusal = admin_problem(401, "the admin token is missing or wrong");
        refusal.wants_token = true;
        return refusal;
    }
    if (token.empty() && is_misled(head))
        return admin_problem(421, "without a token, ask by address or as localhost");
    if (row == nullptr) return admin_problem(404, "there is no such page");
    const bool reads = head.method == http::Method::get || head.method == http::Method::head;
    const bool is_page = row->kind != Kind::action;
    if (is_page ? !reads : head.method != http::Method::post) {
        AdminAnswer refusal =
            admin_problem(405, is_page ? "this page is read, with GET or HEAD" : "this is done with POST");
        refusal.allow = is_page ? "GET, HEAD" : "POST";
        return refusal;
    }
    if (!is_page && is_of_another_origin(head))
        return admin_problem(403, "a page of another origin may not do this");
    return std::nullopt;
}

/// Whoever can reach a UNIX socket is no browser.
bool AdminPages::is_misled(const http::RequestHead& head) const {
    return !overview_.settings().admin.address->is_unix() && !is_literal(head.authority);
}

AdminAnswer AdminPages::overview(const Ask&) const {
    const AdminPage page = admin_page();
    return {.type = "text/html; charset=utf-8", .body = std::string(page.html), .policy = page.policy};
}

AdminAnswer AdminPages::metrics(const Ask&) const { return {.type = kMetricsType, .body = metrics_.text()}; }

AdminAnswer AdminPages::livez(const Ask&) const { return {.type = kText, .body = "ok\n"}; }

AdminAnswer AdminPages::readyz(const Ask&) const {
    if (is_ready(overview_)) return {.type = kText, .body = "ok\n"};
    return {.status = 503,
            .type = kText,
            .body = overview_.is_draining() ? "draining\n" : "no server of the app is up\n"};
}

AdminAnswer AdminPages::health(const Ask& ask) const {
    return {.status = static_cast<uint16_t>(is_ready(overview_) ? 200 : 503),
            .body = health_json(overview_, ask.now)};
}

AdminAnswer AdminPages::stats(const Ask&) const { return {.body = stats_json(overview_)}; }

AdminAnswer AdminPages::summary(const Ask& ask) const { return {.body = summary_json(overview_, ask.now)}; }

AdminAnswer AdminPages::clients(const Ask& ask) const { return {.body = clients_json(overview_, ask.now)}; }

AdminAnswer AdminPages::limits(const Ask&) const { return {.body = limits_json(overview_.settings())}; }

AdminAnswer AdminPages::why(const Ask& ask) const {
    const auto id = http::percent_decode(ask.rest, false);
    if (auto json = id ? why_json(overview_, *id) : std::nullopt) return {.body = std::move(*json)};
    return admin_problem(404, kNotRemembered);
}

AdminAnswer AdminPages::config(const Ask&) const {
    return {.type = "application/yaml", .body = overview_.effective_config};
}

AdminAnswer AdminPages::drain(const Ask&) const {
    overview_.drain();
    return {.status = 202, .body = "{\"status\":\"draining\"}\n"};
}

/// What is wrong is the file, not the request. As text, since it quotes lines of the file for a person.
AdminAnswer AdminPages::reload(const Ask&) const {
    auto done = overview_.reload();
    if (!done)
        return {
            .status = 422, .type = kText, .body = done.error() + (done.error().ends_with('\n') ? "" : "\n")};
    return {.body = "{\"status\":\"reloaded\"}\n"};
}

}  // namespace weir::app
