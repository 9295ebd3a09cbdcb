// The admin address: accepts connections and owns them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/admin_pages.h"
#include "app/round_pace.h"
#include "base/timing_wheel.h"
#include "http/imf_date.h"
#include "net/listener.h"
#include "net/socket.h"

namespace weir::app {

class AdminConnection;

/// Thread: the control thread's, so that whoever asks keeps no worker from its clients. Pages are made in
/// rounds, at the pace of app/round_pace.h, since that thread may share a processor with a worker. From kMost
/// connections on those that wait between two requests are closed, and no new one is taken in until there is
/// room; one wake-up may go beyond it by as many as it takes in.
class AdminListener {
  public:
    static constexpr size_t kMost = 64;

    /// The error says what could not be had. The overview outlives it.
    static Result<std::unique_ptr<AdminListener>> open(net::Loop& loop, const Overview& overview);
    AdminListener(net::Loop& loop, const Overview& overview, net::Fd socket);  ///< for open() alone
    ~AdminListener();
    AdminListener(const AdminListener&) = delete;
    AdminListener& operator=(const AdminListener&) = delete;

    /// As it listens, the port that the kernel chose filled in.
    [[nodiscard]] std::string address() const { return net::SocketAddress::local_of(socket_).text(); }

    // ---- for connections
    [[nodiscard]] AdminPages& pages() { return pages_; }
    /// It is called back (answer_in_round), at the end of this batch of events at the earliest.
    void wait_for_round(AdminConnection& connection);
    [[nodiscard]] std::string_view date() { return date_.at(loop_.calendar_time()); }
    void remove(AdminConnection& connection);

  private:
    static void on_full(void* listener);
    static void on_round(void* listener);
    static void on_rest_over(void* listener, Time now);
    void play_round();
    void accept();
    void add(net::Fd fd);

    net::Loop& loop_;
    AdminPages pages_;
    http::DateCache date_;
    net::Fd socket_;
    std::optional<net::SocketFile> file_;
    net::Task full_;
    RoundPace pace_;
    net::Task round_;
    Timer rest_;
    std::vector<AdminConnection*> waiting_;                      ///< for the next round
    std::unique_ptr<net::Listener> listener_;                    ///< none while there is no room
    std::vector<std::unique_ptr<AdminConnection>> connections_;  ///< AdminConnection::slot is the index
};

}  // namespace weir::app
