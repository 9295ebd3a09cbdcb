#include "net/stream.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <utility>

namespace weir::net {

namespace {

IoResult failed_or_again() {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {.status = IoStatus::again};
    return {.status = IoStatus::failed, .error = errno};
}

}  // namespace

Stream::Stream(Loop& loop, Fd fd, Owner& owner, std::unique_ptr<TlsSession> tls) : owner_(owner) {
    open(loop, {.fd = std::move(fd), .tls = std::move(tls)});
}

void Stream::open(Loop& loop, Parts parts) {
    assert(!fd_);
    fd_ = std::move(parts.fd);
    tls_ = std::move(parts.tls);
    sent_ = parts.sent;
    received_ = parts.received;
    if (tls_) tls_->attach(fd_.get());
    // What the handshake has taken from the socket, no edge tells of again.
    readable_ = tls_ && tls_->is_established();
    watch(loop);
}

Stream::Stream(Loop& loop, Stream& former, Owner& owner)
    : owner_(owner),
      tls_(std::move(former.tls_)),
      sent_(former.sent_),
      received_(former.received_),
      readable_(former.readable_),
      writable_(former.writable_),
      peer_closed_(former.peer_closed_),
      last_read_was_short_(former.last_read_was_short_),
      end_is_due_(former.end_is_due_) {
    event_del(&former.event_);
    fd_ = std::move(former.fd_);
    former.readable_ = former.writable_ = false;
    watch(loop);
}

void Stream::watch(Loop& loop) {
    event_assign(&event_, loop.base(), fd_.get(), EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST,
                 &Stream::on_event, this);
    event_add(&event_, nullptr);
}

void Stream::on_event(evutil_socket_t, short what, void* stream) noexcept {
    auto& self = *static_cast<Stream*>(stream);
    if ((what & (EV_READ | EV_CLOSED)) != 0) {
        self.readable_ = true;
        self.last_read_was_short_ = false;
    }
    if ((what & EV_CLOSED) != 0) self.peer_closed_ = true;
    if ((what & EV_WRITE) != 0) self.writable_ = true;
    if (self.tls_) self.before_owner(what);
    self.owner_.on_ready();
}

void Stream::before_owner(short what) {
    if ((what & EV_WRITE) == 0) return;
    if (tls_->read_waits_for_room()) readable_ = true;
    if (std::exchange(end_is_due_, false)) shut_write();
}

void Stream::secure(std::unique_ptr<TlsSession> tls) {
    tls_ = std::move(tls);
    tls_->attach(fd_.get());
}

Stream::Parts Stream::release() {
    event_del(&event_);
    readable_ = writable_ = false;
    return {.fd = std::move(fd_), .tls = std::move(tls_), .sent = sent_, .received = received_};
}

IoResult Stream::handshake() {
    if (!tls_) return {};
    auto shaken = tls_->handshake();
    if (shaken.status == IoStatus::again) readable_ = false;
    return shaken;
}

IoResult Stream::read(std::span<char> room) {
    if (tls_) return read_tls(room);
    ssize_t count = recv(fd_.get(), room.data(), room.size(), 0);
    if (count > 0) {
        // After the peer's close no further edge comes, so its end must still be read.
        last_read_was_short_ = static_cast<size_t>(count) < room.size() && !peer_closed_;
        received_ += static_cast<size_t>(count);
        return {.status = IoStatus::ok, .bytes = static_cast<size_t>(count)};
    }
    if (count == 0) {
        readable_ = false;
        peer_closed_ = true;
        return {.status = IoStatus::closed};
    }
    if (errno == EINTR) return {.status = IoStatus::again};
    readable_ = false;
    return failed_or_again();
}

IoResult Stream::read_tls(std::span<char> room) {
    auto got = tls_->read(room);
    // The end may have been read behind the bytes.
    peer_closed_ = peer_closed_ || tls_->peer_has_ended();
    readable_ = got.status == IoStatus::ok;
    last_read_was_short_ = readable_ && tls_->is_drained() && !peer_closed_;
    return got;
}

IoResult Stream::write(std::span<const iovec> pieces) {
    if (tls_) return write_tls(pieces);
    size_t wanted = 0;
    for (const iovec& piece : pieces) wanted += piece.iov_len;
    ssize_t count;
    if (pieces.size() == 1) {
        count = send(fd_.get(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
    } else {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg does not write through it
        message.msg_iovlen = pieces.size();
        count = sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    }
    if (count < 0) {
        writable_ = false;
        return failed_or_again();
    }
    if (static_cast<size_t>(count) < wanted) writable_ = false;
    sent_ += static_cast<size_t>(count);
    return {.status = IoStatus::ok, .bytes = static_cast<size_t>(count)};
}

IoResult Stream::write_tls(std::span<const iovec> pieces) {
    size_t wanted = 0;
    for (const iovec& piece : pieces) wanted += piece.iov_len;
    auto written = tls_->write(pieces);
    if (written.bytes < wanted) writable_ = false;
    return written;
}

IoResult Stream::peek() {
    if (tls_) return peek_tls();
    char byte;
    return look({&byte, 1});
}

IoResult Stream::peek_tls() {
    auto seen = tls_->peek();
    // What is seen was taken from the socket, which tells of it no more.
    readable_ = seen.status != IoStatus::again;
    last_read_was_short_ = false;
    peer_closed_ = peer_closed_ || seen.status == IoStatus::closed;
    return seen;
}

IoResult Stream::look(std::span<char> room) const {
    ssize_t count = recv(fd_.get(), room.data(), room.size(), MSG_PEEK);
    if (count > 0) return {.status = IoStatus::ok, .bytes = static_cast<size_t>(count)};
    if (count == 0) return {.status = IoStatus::closed};
    return failed_or_again();
}

bool Stream::has_input() { return readable_ && (!tls_ || peek_tls().status != IoStatus::again); }

uint64_t Stream::moved_bytes() const {
    uint64_t received = tls_ ? tls_->wire().received : received_;
    return received + sent_bytes() - unacknowledged_bytes();
}

uint64_t Stream::unacknowledged_bytes() const {
    int unsent = 0;
    if (fd_) ioctl(fd_.get(), SIOCOUTQ, &unsent);
    return static_cast<uint64_t>(unsent);
}

void Stream::shut_write() {
    if (tls_ && tls_->say_end() == IoStatus::again) {
        end_is_due_ = true;
        return;
    }
    shutdown(fd_.get(), SHUT_WR);
}

void Stream::close() {
    if (!fd_) return;
    if (tls_) {
        (void)tls_->say_end();
        tls_->attach(-1);
    }
    event_del(&event_);
    fd_ = Fd();
    readable_ = writable_ = false;
}

void Stream::reset_on_close() {
    if (tls_) tls_->stay_silent();
    linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace weir::net
