// TLS to one server of the app: whom it has to be, what resumes it, and how it fared last.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "net/tls_context.h"

namespace weir::proxy {

/// One for all workers and for the health checks; any thread. It outlives the sessions.
class ServerTls {
  public:
    /// `server`: as the log names it. `name`: what its certificate has to be for.
    ServerTls(std::shared_ptr<const net::TlsClientContext> context, std::string server, std::string name);

    [[nodiscard]] std::unique_ptr<net::TlsSession> session() { return context_->session(name_, tickets_); }

    /// One clause for the client: what is wrong with TLS to the app.
    [[nodiscard]] std::string describe(const net::TlsFault&) const;
    /// TLS has failed, or has carried an answer. Logged where it fared otherwise before.
    void note_failure(const std::string& description);
    void note_success();

  private:
    const std::shared_ptr<const net::TlsClientContext> context_;
    std::string server_;
    std::string name_;
    net::TlsTickets tickets_;
    std::atomic<bool> is_failing_{false};
    std::mutex mutex_;
    std::string last_failure_;  ///< empty: it has not failed since it was well
};

}  // namespace weir::proxy
