#include "net/stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace weir::net {

namespace {

IoResult failed_or_again() {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {.status = IoStatus::again};
    return {.status = IoStatus::failed, .error = errno};
}

}  // namespace

Stream::Stream(Loop& loop, Fd fd, Owner& owner) : owner_(owner), fd_(std::move(fd)) {
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
    self.owner_.on_ready();
}

IoResult Stream::read(std::span<char> room) {
    ssize_t count = recv(fd_.get(), room.data(), room.size(), 0);
    if (count > 0) {
        // After the peer's close no further edge comes, so its end must still be read.
        last_read_was_short_ = static_cast<size_t>(count) < room.size() && !peer_closed_;
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

IoResult Stream::write(std::span<const iovec> pieces) {
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
    return {.status = IoStatus::ok, .bytes = static_cast<size_t>(count)};
}

IoResult Stream::peek() {
    char byte;
    ssize_t count = recv(fd_.get(), &byte, 1, MSG_PEEK);
    if (count > 0) return {.status = IoStatus::ok, .bytes = 1};
    if (count == 0) return {.status = IoStatus::closed};
    return failed_or_again();
}

void Stream::shut_write() { shutdown(fd_.get(), SHUT_WR); }

void Stream::close() {
    if (!fd_) return;
    event_del(&event_);
    fd_ = Fd();
    readable_ = writable_ = false;
}

void Stream::reset_on_close() {
    linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace weir::net
