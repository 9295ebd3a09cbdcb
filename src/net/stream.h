// One connected, non-blocking socket and its readiness. A single edge-triggered registration for its whole
// life: no epoll_ctl per request, so whoever stops reading must come back by itself (the stream remembers
// that it may).
#pragma once

#include <event2/event_struct.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "net/loop.h"
#include "net/socket.h"

namespace weir::net {

enum class IoStatus : uint8_t {
    ok,
    again,   ///< nothing now; the owner is called when that changes
    closed,  ///< reading: the peer has sent all it will
    failed,  ///< IoResult::error is the errno
};

struct IoResult {
    IoStatus status = IoStatus::ok;
    size_t bytes = 0;
    int error = 0;
};

/// Thread: its loop's. The owner outlives it.
class Stream {
  public:
    class Owner {
      public:
        /// Something changed: look at readable() and writable(). A stream that was reset is both.
        virtual void on_ready() = 0;

      protected:
        ~Owner() = default;
    };

    Stream(Loop& loop, Fd fd, Owner& owner);
    ~Stream() { close(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// Up to `room.size()` bytes in one system call.
    IoResult read(std::span<char> room);
    /// The reader has what it wanted. A short read then counts as "drained", which spares the call that would
    /// say so. One who still waits for bytes must read on until `again`: a reset may have come together with
    /// the last ones, and no further edge would tell.
    void settle() { readable_ = readable_ && !last_read_was_short_; }
    /// A write has failed: the reason, or the peer's last words, are there to be read.
    void expect_end() { readable_ = true, last_read_was_short_ = false; }
    /// In one system call; a short write means that the socket is full. `bytes` is what was accepted.
    IoResult write(std::span<const iovec> pieces);
    /// What read() would return, without taking anything.
    IoResult peek();

    /// Reading may yield something, as far as is known.
    [[nodiscard]] bool readable() const { return readable_; }
    [[nodiscard]] bool writable() const { return writable_; }
    /// The peer has shut its side down; bytes sent before that may still be unread.
    [[nodiscard]] bool peer_closed() const { return peer_closed_; }
    [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
    [[nodiscard]] const Fd& fd() const { return fd_; }

    void shut_write();  ///< tells the peer that nothing more will come
    void close();
    /// Makes close() send a reset, which tells the peer that what it has is incomplete.
    void reset_on_close();

  private:
    static void on_event(evutil_socket_t, short what, void* stream) noexcept;

    Owner& owner_;
    Fd fd_;
    bool readable_ = false;
    bool writable_ = false;
    bool peer_closed_ = false;
    bool last_read_was_short_ = false;
    event event_{};
};

}  // namespace weir::net
