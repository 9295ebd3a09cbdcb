// One connected, non-blocking socket and its readiness, plain or under TLS. A single edge-triggered
// registration for its whole life: no epoll_ctl per request, so whoever stops reading must come back by
// itself (the stream remembers that it may).
#pragma once

#include <event2/event_struct.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>

#include "net/io_result.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/tls_session.h"

namespace weir::net {

/// Thread: its loop's. The owner outlives it.
///
/// Under TLS the calls mean the same, for the bytes inside; what differs is said there. Who wants to know
/// when the handshake is over asks handshake(); else the first reads do it. A plain stream pays one branch a
/// call.
class Stream {
  public:
    class Owner {
      public:
        /// Something changed: look at readable() and writable(). A stream that was reset is both.
        virtual void on_ready() = 0;

      protected:
        ~Owner() = default;
    };

    /// `tls`: none for a plain stream.
    Stream(Loop& loop, Fd fd, Owner& owner, std::unique_ptr<TlsSession> tls = nullptr);
    /// Closed, until open().
    explicit Stream(Owner& owner) : owner_(owner) {}
    /// Goes on with the socket of `former`, which is left closed. What is readable or writable is told anew.
    Stream(Loop& loop, Stream& former, Owner& owner);
    ~Stream() { close(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    /// From here on a plain stream carries TLS. What was read of it so far was not part of that.
    void secure(std::unique_ptr<TlsSession> tls);
    /// `ok` where the stream can carry bytes, a plain one at once; `again`: on_ready() comes when it may go
    /// on.
    IoResult handshake();
    /// A connection between two streams. The counts are those of a plain one.
    struct Parts {
        Fd fd;
        std::unique_ptr<TlsSession> tls{};
        uint64_t sent = 0;
        uint64_t received = 0;
    };
    /// Gives the connection up for another stream to go on with, on any thread: what has come and was not
    /// read is read there. Nothing may be on its way out.
    [[nodiscard]] Parts release();
    /// Of a closed one: goes on with them. What is readable or writable is told anew.
    void open(Loop& loop, Parts parts);

    /// Up to `room.size()` bytes in one system call; under TLS, in one for each record.
    IoResult read(std::span<char> room);
    /// The reader has what it wanted. A short read then counts as "drained", which spares the call that would
    /// say so. One who still waits for bytes must read on until `again`: a reset may have come together with
    /// the last ones, and no further edge would tell.
    void settle() { readable_ = readable_ && !last_read_was_short_; }
    /// A write has failed: the reason, or the peer's last words, are there to be read.
    void expect_end() { readable_ = true, last_read_was_short_ = false; }
    /// In one system call, or under TLS in one for each record of up to 16 KiB; a short write means that the
    /// socket is full. `bytes` is what was accepted: the kernel has it. Under TLS, whoever goes on behind a
    /// short write does so with the bytes that were not accepted (net/tls_session.h), and a failed write may
    /// have taken some.
    IoResult write(std::span<const iovec> pieces);
    /// What read() would return, without taking anything. Under TLS the records are taken from the socket, so
    /// that `ok` means a byte for the reader, and not a ticket or half a record.
    IoResult peek();
    /// Of a plain stream: as read() would, but leaves the bytes where they are.
    IoResult look(std::span<char> room) const;
    /// Of a stream on which nothing is expected: whether there is something for a reader after all, be it the
    /// end. No system call on a plain one; under TLS, records that carry nothing for a reader are taken on
    /// the way.
    [[nodiscard]] bool has_input();

    /// Reading may yield something, as far as is known.
    [[nodiscard]] bool readable() const { return readable_; }
    [[nodiscard]] bool writable() const { return writable_; }
    /// The peer has shut its side down; bytes sent before that may still be unread. Under TLS the socket's
    /// end counts, and so does the peer's word once it was read.
    [[nodiscard]] bool peer_closed() const { return peer_closed_; }
    [[nodiscard]] bool is_open() const { return static_cast<bool>(fd_); }
    [[nodiscard]] const Fd& fd() const { return fd_; }
    [[nodiscard]] const TlsSession* tls() const { return tls_.get(); }

    /// Bytes that the kernel has taken, as they are on the wire: under TLS, of records and handshake.
    [[nodiscard]] uint64_t sent_bytes() const { return tls_ ? tls_->wire().sent : sent_; }
    /// Those that the peer has acknowledged, and those that came from it, on the wire too: grows while the
    /// peer's side of the connection is alive. One system call.
    [[nodiscard]] uint64_t moved_bytes() const;
    /// Of the bytes that were sent, on the wire: those that the peer has not acknowledged. One system call.
    [[nodiscard]] uint64_t unacknowledged_bytes() const;

    /// Tells the peer that nothing more will come; under TLS in both languages.
    void shut_write();
    /// shut_write() waits for room in the socket.
    [[nodiscard]] bool end_is_due() const { return end_is_due_; }
    /// Under TLS the peer is told that this was all, where the socket takes that at once. One that was not
    /// told, or was not told shut_write() before, must think that the rest was cut off.
    void close();
    /// Makes close() send a reset, which tells the peer that what it has is incomplete.
    void reset_on_close();

  private:
    static void on_event(evutil_socket_t, short what, void* stream) noexcept;
    void watch(Loop& loop);
    void before_owner(short what);
    IoResult read_tls(std::span<char> room);
    IoResult write_tls(std::span<const iovec> pieces);
    IoResult peek_tls();

    Owner& owner_;
    Fd fd_;
    std::unique_ptr<TlsSession> tls_;
    uint64_t sent_ = 0;      ///< of a plain stream
    uint64_t received_ = 0;  ///< of a plain stream
    bool readable_ = false;
    bool writable_ = false;
    bool peer_closed_ = false;
    bool last_read_was_short_ = false;
    bool end_is_due_ = false;  ///< TLS: shut_write() waits for room in the socket
    event event_{};
};

}  // namespace weir::net
