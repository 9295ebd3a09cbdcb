// What there is at the admin address: a table of paths, and who may ask.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/metrics_page.h"
#include "app/overview.h"
#include "http/message.h"

namespace weir::app {

struct AdminAnswer {
    uint16_t status = 200;
    std::string_view type = "application/json";
    std::string body;
    std::string_view allow = {};   ///< of a 405
    bool wants_token = false;      ///< of a 401
    std::string_view policy = {};  ///< Content-Security-Policy, of HTML
};

/// Thread: the control thread's.
class AdminPages {
  public:
    /// The overview outlives it.
    explicit AdminPages(const Overview& overview) : overview_(overview), metrics_(overview) {}
    AdminPages(const AdminPages&) = delete;
    AdminPages& operator=(const AdminPages&) = delete;

    /// Whether it is a page, which is to be made in rounds (app/round_pace.h): not what probes ask for, nor
    /// an action or a refusal.
    [[nodiscard]] bool is_for_round(const http::RequestHead& head) const;
    /// A page is made once for all who ask for it, until forget().
    ///
    /// Who asks has to show the token, where there is one. Where there is none, a page in the browser of
    /// somebody on this machine must not be able to ask either: a Host that is a name is refused (it may have
    /// been made to lead here), and so is an action that another origin wants (RFC 6454).
    [[nodiscard]] std::shared_ptr<const AdminAnswer> answer(const http::RequestHead& head, Time now);
    void forget() { made_.clear(); }

  private:
    enum class Kind : uint8_t {
        sign,  ///< GET and HEAD: what probes ask for
        page,  ///< likewise
        form,  ///< likewise; shown without the token, since it is where that is typed in, and tells nothing
        each_page,  ///< likewise, one for whatever stands behind the path
        action,     ///< POST
    };
    struct Ask {
        Time now;
        std::string_view rest;  ///< of the path, with Kind::each_page
    };
    struct Row {
        std::string_view path;
        Kind kind;
        AdminAnswer (AdminPages::*make)(const Ask& ask) const;

        [[nodiscard]] bool is_of(std::string_view asked) const {
            return kind == Kind::each_page ? asked.starts_with(path) : asked == path;
        }
    };
    static const Row* find(std::string_view path);

    [[nodiscard]] std::optional<AdminAnswer> refusal_of(const http::RequestHead&, const Row*) const;
    [[nodiscard]] bool is_misled(const http::RequestHead&) const;
    [[nodiscard]] AdminAnswer overview(const Ask&) const;
    [[nodiscard]] AdminAnswer metrics(const Ask&) const;
    [[nodiscard]] AdminAnswer livez(const Ask&) const;
    [[nodiscard]] AdminAnswer readyz(const Ask&) const;
    [[nodiscard]] AdminAnswer health(const Ask&) const;
    [[nodiscard]] AdminAnswer stats(const Ask&) const;
    [[nodiscard]] AdminAnswer summary(const Ask&) const;
    [[nodiscard]] AdminAnswer clients(const Ask&) const;
    [[nodiscard]] AdminAnswer limits(const Ask&) const;
    [[nodiscard]] AdminAnswer why(const Ask&) const;
    [[nodiscard]] AdminAnswer config(const Ask&) const;
    [[nodiscard]] AdminAnswer drain(const Ask&) const;
    [[nodiscard]] AdminAnswer reload(const Ask&) const;

    const Overview& overview_;
    MetricsPage metrics_;
    std::vector<std::pair<const Row*, std::shared_ptr<const AdminAnswer>>> made_;
};

/// A refusal as application/problem+json (RFC 9457).
[[nodiscard]] AdminAnswer admin_problem(uint16_t status, std::string_view detail);

/// Whether an Authorization field shows this token (RFC 6750, 2.1). Takes as long whatever part of it is
/// wrong.
[[nodiscard]] bool shows_token(std::string_view authorization, std::string_view token);

}  // namespace weir::app
