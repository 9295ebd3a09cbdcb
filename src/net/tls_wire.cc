#include "net/tls_wire.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

namespace weir::net {

namespace {

TlsWire& wire_of(BIO* bio) { return *static_cast<TlsWire*>(BIO_get_data(bio)); }

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

int write_some(BIO* bio, const char* bytes, size_t length, size_t* written) noexcept {
    TlsWire& wire = wire_of(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count = send(wire.fd, bytes, length, MSG_NOSIGNAL);
    if (count < 0) {
        wire.error = errno;
        if (would_block(wire.error)) BIO_set_retry_write(bio);
        return 0;
    }
    *written = static_cast<size_t>(count);
    wire.sent += *written;
    return 1;
}

int read_some(BIO* bio, char* room, size_t length, size_t* read) noexcept {
    TlsWire& wire = wire_of(bio);
    BIO_clear_retry_flags(bio);
    ssize_t count = recv(wire.fd, room, length, 0);
    if (count <= 0) {
        wire.ended = count == 0;
        wire.error = count < 0 ? errno : 0;
        if (count < 0 && would_block(wire.error)) BIO_set_retry_read(bio);
        return 0;
    }
    *read = static_cast<size_t>(count);
    wire.received += *read;
    wire.last_read_was_short = *read < length;
    return 1;
}

/// Nothing is held here, so there is nothing to flush. The end of the socket is not told of as such: OpenSSL
/// would answer it with an alert that nobody reads.
long control(BIO*, int command, long, void*) noexcept { return command == BIO_CTRL_FLUSH ? 1 : 0; }

struct FreeMethod {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

const BIO_METHOD* method() {
    static const std::unique_ptr<BIO_METHOD, FreeMethod> kMethod = [] {
        std::unique_ptr<BIO_METHOD, FreeMethod> made(
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir socket"));
        if (!made) throw std::bad_alloc();
        BIO_meth_set_write_ex(made.get(), &write_some);
        BIO_meth_set_read_ex(made.get(), &read_some);
        BIO_meth_set_ctrl(made.get(), &control);
        return made;
    }();
    return kMethod.get();
}

}  // namespace

void FreeBio::operator()(BIO* bio) const { BIO_free(bio); }

OwnedBio TlsWire::bio_over(TlsWire& wire) {
    OwnedBio bio(BIO_new(method()));
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio.get(), &wire);
    BIO_set_init(bio.get(), 1);
    return bio;
}

}  // namespace weir::net
