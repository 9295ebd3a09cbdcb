// The sockets that clients connect to, one address after the other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "net/socket.h"
#include "proxy/entrance.h"

namespace weir::app {

class Worker;

/// Sockets of one address: one for each worker where they can share the port, else one for all.
struct Listening {
    config::Listen configured;
    proxy::SharedEntrance entrance;  ///< as the workers have been told; null: they have not
    std::vector<net::Fd> sockets;
    std::vector<net::SocketFile> files;  ///< of a UNIX socket: removed with it
    /// Which closing of it is under way, counted over all addresses; 0: none.
    uint64_t closing = 0;

    [[nodiscard]] const net::Fd& of_worker(size_t worker) const { return sockets[worker % sockets.size()]; }
};

/// Thread: the control thread's. Ends after the workers that accept from it, or after they have stopped to.
class ListeningSet {
  public:
    explicit ListeningSet(size_t workers) : workers_(workers) {}
    ListeningSet(const ListeningSet&) = delete;
    ListeningSet& operator=(const ListeningSet&) = delete;

    /// What has to be done so that these addresses are listened on, and no others. Nothing is changed yet but
    /// that the new ones are open.
    struct Change {
        std::vector<std::unique_ptr<Listening>> opened;
        std::vector<Listening*> closing;
        std::vector<std::pair<Listening*, config::Listen>> staying;  ///< with what is configured now
    };
    /// The error says which address cannot be had.
    [[nodiscard]] Result<Change> prepare(const std::vector<config::Listen>& wanted) const;
    /// Takes the new ones in; those that are closing stay until close().
    void add(std::vector<std::unique_ptr<Listening>> opened);
    /// The workers are asked to stop accepting from it. Says which closing this is.
    uint64_t begin_close(Listening& listening) { return listening.closing = ++closings_; }
    /// It is wanted again: who accepts from it is to be told anew.
    static void keep(Listening& listening) { listening.closing = 0; }
    /// Nobody accepts from it any more: closing it sooner would reset who waits in its queue. Nothing where
    /// it has been wanted again since.
    void end_close(uint64_t closing);
    void close_all() { all_.clear(); }

    [[nodiscard]] const std::vector<std::unique_ptr<Listening>>& all() const { return all_; }
    /// With the ports that the kernel chose.
    [[nodiscard]] std::vector<std::string> addresses() const;

  private:
    [[nodiscard]] Result<std::unique_ptr<Listening>> open(const config::Listen& listen) const;

    size_t workers_;
    uint64_t closings_ = 0;
    std::vector<std::unique_ptr<Listening>> all_;
};

}  // namespace weir::app
