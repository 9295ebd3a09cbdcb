#include "config/answer_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

/// Where "*" stands in a list; none where it does not.
std::optional<size_t> find_star(const std::vector<std::string>& list) {
    const auto found = std::find(list.begin(), list.end(), "*");
    if (found == list.end()) return std::nullopt;
    return static_cast<size_t>(found - list.begin());
}

void check_alone(Findings& findings, const std::vector<std::string>& list, const Spot& spot) {
    const std::optional<size_t> star = find_star(list);
    if (!star || list.size() == 1 || !findings.is_sound(spot)) return;
    findings.error(
        spot[*star],
        fmt::format("{}: `*` is any, and the others beside it mean nothing", findings.name(spot[*star])),
        "leave `*` out, or let it stand alone");
}

/// The Fetch standard takes `*` for itself, and nothing more, where credentials are sent.
void check_credentials(Findings& findings, const Cors& cors) {
    const Spot credentials("cors.credentials");
    if (!cors.credentials || !findings.are_sound({"cors.credentials", "cors.origins"})) return;
    if (find_star(cors.origins)) {
        findings.error(
            credentials,
            fmt::format("{} is not for every origin: any page could act, and read, as the user who visits it",
                        findings.name(credentials)),
            "list the origins that may, or leave credentials out");
    }
    for (const auto& [path, list] :
         {std::pair("cors.headers", &cors.headers), std::pair("cors.expose", &cors.expose)}) {
        const std::optional<size_t> star = find_star(*list);
        if (!star || !findings.are_sound({path})) continue;
        findings.warning(
            Spot(path)[*star],
            fmt::format("{}: browsers take `*` for a field of that name where credentials are sent",
                        findings.name(Spot(path)[*star])),
            "list the fields");
    }
}

void check_errors(Findings& findings) {
    const Errors& errors = findings.settings().errors;
    if (!findings.are_sound({"errors.format", "errors.content_type", "errors.body"})) return;
    if (errors.format == ErrorFormat::body) {
        if (errors.body.empty()) {
            findings.error(Spot("errors.format"), "`errors.format` is body, and there is no `errors.body`",
                           "give the text");
        }
        return;
    }
    if (!errors.body.empty()) {
        findings.warning(Spot("errors.body"), "`errors.body` is not used: `errors.format` is problem",
                         "remove one of them");
    }
}

void check_public(Findings& findings) {
    const Public& paths = findings.settings().public_paths;
    const bool are_same = !paths.health.empty() && paths.health == paths.queue_stats;
    if (!are_same || !findings.are_sound({"public.health", "public.queue_stats"})) return;
    findings.error(
        Spot("public.queue_stats"),
        fmt::format("`public.queue_stats`: {} is `public.health` already", quoted(paths.queue_stats)),
        "give it another path");
}

}  // namespace

void check_answers(Findings& findings) {
    const Cors& cors = findings.settings().cors;
    check_alone(findings, cors.origins, Spot("cors.origins"));
    check_alone(findings, cors.headers, Spot("cors.headers"));
    check_alone(findings, cors.expose, Spot("cors.expose"));
    check_credentials(findings, cors);
    check_errors(findings);
    check_public(findings);
}

}  // namespace weir::config
