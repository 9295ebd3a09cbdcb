#include "net/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/tls_server_context.h"

namespace weir::net {

namespace {

TlsFault::Kind kind_of_certificate_error(long error) {
    switch (error) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return TlsFault::Kind::other_name;
        case X509_V_ERR_CERT_HAS_EXPIRED: return TlsFault::Kind::expired;
        case X509_V_ERR_CERT_NOT_YET_VALID: return TlsFault::Kind::not_yet_valid;
        default: return TlsFault::Kind::untrusted;
    }
}

std::string text_of(const char* openssl_text) { return openssl_text == nullptr ? "unknown" : openssl_text; }

}  // namespace

void FreeSsl::operator()(SSL* ssl) const { SSL_free(ssl); }

/// The pieces of a write as a row of record payloads.
class TlsSession::Pieces {
  public:
    explicit Pieces(std::span<const iovec> pieces) : pieces_(pieces) { skip_empty(); }

    [[nodiscard]] bool empty() const { return pieces_.empty(); }
    /// The next payload: where it lies if it lies in one piece, else gathered in `room`.
    std::span<const char> next(std::span<char, kMaxRecord> room) const {
        std::span<const char> first = rest_of(0);
        if (first.size() >= kMaxRecord || pieces_.size() == 1)
            return first.first(std::min(first.size(), kMaxRecord));
        size_t gathered = 0;
        for (size_t index = 0; index < pieces_.size() && gathered < kMaxRecord; ++index) {
            std::span<const char> piece = rest_of(index);
            size_t taken = std::min(piece.size(), kMaxRecord - gathered);
            if (taken > 0) std::memcpy(room.data() + gathered, piece.data(), taken);
            gathered += taken;
        }
        return room.first(gathered);
    }
    /// Returns how many there were, at most `bytes`.
    size_t skip(size_t bytes) {
        size_t left = bytes;
        while (!pieces_.empty() && left > 0) {
            size_t here = std::min(left, rest_of(0).size());
            used_ += here;
            left -= here;
            skip_empty();
        }
        return bytes - left;
    }

  private:
    [[nodiscard]] std::span<const char> rest_of(size_t index) const {
        std::span<const char> piece(static_cast<const char*>(pieces_[index].iov_base),
                                    pieces_[index].iov_len);
        return index == 0 ? piece.subspan(used_) : piece;
    }
    void skip_empty() {
        while (!pieces_.empty() && used_ == pieces_.front().iov_len) {
            pieces_ = pieces_.subspan(1);
            used_ = 0;
        }
    }

    std::span<const iovec> pieces_;
    size_t used_ = 0;  ///< of the first one
};

TlsSession::TlsSession(OwnedSsl ssl, std::shared_ptr<const TlsServerContext> server)
    : server_(std::move(server)), ssl_(std::move(ssl)) {
    BIO* bio = TlsWire::bio_over(wire_).release();
    SSL_set_bio(ssl_.get(), bio, bio);  // takes it
}

TlsSession::~TlsSession() {
    // Without this the tickets of a connection that was not closed by both sides would be spoilt.
    if (fault_.kind == TlsFault::Kind::none)
        SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

IoResult TlsSession::handshake() {
    if (established_) return {};
    if (end_) return *end_;
    ERR_clear_error();
    int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
        established_ = true;
        if (!server_ || note_client()) return {};
        fault_ = {.kind = TlsFault::Kind::expired, .cause = "certificate has expired since it was verified"};
        end_ = {.status = IoStatus::failed, .error = EPROTO};
        established_ = false;
        return *end_;
    }
    IoResult failed = read_failure(result);
    if (failed.status == IoStatus::again) return failed;
    if (fault_.kind == TlsFault::Kind::none) fault_.kind = TlsFault::Kind::ended;
    // An end in the middle of a handshake is none that was agreed on.
    if (failed.status == IoStatus::closed) failed = {.status = IoStatus::failed, .error = EPIPE};
    end_ = failed;
    return failed;
}

IoResult TlsSession::read(std::span<char> room) {
    if (auto shaken = handshake(); shaken.status != IoStatus::ok) return shaken;
    drained_ = false;
    // A short read from before says nothing of what the socket has told of since.
    wire_.last_read_was_short = false;
    size_t total = 0;
    while (total < room.size() && !end_) {
        size_t count = 0;
        ERR_clear_error();
        int result = SSL_read_ex(ssl_.get(), room.data() + total, room.size() - total, &count);
        total += count;
        if (result == 1) {
            drained_ = wire_.last_read_was_short && SSL_has_pending(ssl_.get()) == 0;
            if (drained_) break;
            continue;
        }
        auto failed = read_failure(result);
        if (failed.status == IoStatus::again) {
            drained_ = true;
            break;
        }
        end_ = failed;
    }
    if (total > 0 || room.empty()) return {.status = IoStatus::ok, .bytes = total};
    return end_ ? *end_ : IoResult{.status = IoStatus::again};
}

IoResult TlsSession::peek() {
    if (auto shaken = handshake(); shaken.status != IoStatus::ok) return shaken;
    if (end_) return *end_;
    char byte;
    size_t count = 0;
    ERR_clear_error();
    int result = SSL_peek_ex(ssl_.get(), &byte, 1, &count);
    if (result == 1) return {.status = IoStatus::ok, .bytes = count};
    auto failed = read_failure(result);
    if (failed.status != IoStatus::again) end_ = failed;
    return failed;
}

IoResult TlsSession::write(std::span<const iovec> pieces) {
    assert(established_);
    Pieces left(pieces);
    size_t accepted = left.skip(owed_);
    owed_ -= accepted;
    std::array<char, kMaxRecord> room;
    while (!left.empty()) {
        auto payload = left.next(room);
        // OpenSSL wants to be called with what it has encrypted already, and looks at the length alone.
        if (pending_ > 0)
            payload = payload.size() < pending_ ? std::span(room).first(pending_) : payload.first(pending_);
        size_t count = 0;
        ERR_clear_error();
        int result = SSL_write_ex(ssl_.get(), payload.data(), payload.size(), &count);
        if (result != 1) {
            auto failed = failure(result);
            if (failed.status == IoStatus::again) pending_ = payload.size();
            if (failed.status != IoStatus::again) return {IoStatus::failed, accepted, failed.error};
            return {.status = accepted > 0 ? IoStatus::ok : IoStatus::again, .bytes = accepted};
        }
        pending_ = 0;
        size_t taken = left.skip(count);
        owed_ = count - taken;
        accepted += taken;
    }
    return {.status = IoStatus::ok, .bytes = accepted};
}

bool TlsSession::may_speak() const {
    return established_ && !silent_ && pending_ == 0 && wire_.fd >= 0 && fault_.kind == TlsFault::Kind::none;
}

IoStatus TlsSession::say_end() {
    if (!may_speak()) return IoStatus::failed;
    if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return IoStatus::ok;
    ERR_clear_error();
    int result = SSL_shutdown(ssl_.get());
    return result >= 0 ? IoStatus::ok : failure(result).status;
}

bool TlsSession::was_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

std::string_view TlsSession::version() const { return SSL_get_version(ssl_.get()); }

std::string_view TlsSession::protocol() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
}

bool TlsSession::admits(std::string_view host) const {
    return !server_ || server_->admits(SSL_get_SSL_CTX(ssl_.get()), host);
}

/// False where a ticket brings back a certificate that has expired: it is verified when it is shown, and then
/// each ticket leads to the next one.
bool TlsSession::note_client() {
    const X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return true;
    if (was_resumed() && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) return false;
    const OwnedBio text(needed(BIO_new(BIO_s_mem())));
    // Control characters and what is not ASCII come out as hexadecimal digits behind a backslash.
    X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* begin = nullptr;
    const long length = BIO_get_mem_data(text.get(), &begin);
    client_subject_.assign(begin, static_cast<size_t>(std::max(length, 0L)));
    return true;
}

IoResult TlsSession::read_failure(int result) {
    read_waits_for_room_ = SSL_want_write(ssl_.get());
    return failure(result);
}

IoResult TlsSession::failure(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE: return {.status = IoStatus::again};
        case SSL_ERROR_ZERO_RETURN: return {.status = IoStatus::closed};
        case SSL_ERROR_SYSCALL:
            return {.status = IoStatus::failed, .error = wire_.error != 0 ? wire_.error : EPIPE};
        default: break;
    }
    note_fault(ERR_peek_last_error());
    return {.status = IoStatus::failed, .error = EPROTO};
}

void TlsSession::note_fault(unsigned long code) {
    const int reason = ERR_GET_REASON(code);
    fault_ = {.kind = TlsFault::Kind::broken, .cause = text_of(ERR_reason_error_string(code))};
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) return;
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        const long error = SSL_get_verify_result(ssl_.get());
        fault_ = {.kind = kind_of_certificate_error(error),
                  .cause = text_of(X509_verify_cert_error_string(error))};
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
        fault_.kind = TlsFault::Kind::not_tls;
    } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
        fault_.kind = TlsFault::Kind::too_old;
    } else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
        fault_.kind = TlsFault::Kind::no_certificate;
    } else if (reason == SSL_R_NO_SHARED_CIPHER || reason == SSL_R_NO_SUITABLE_KEY_SHARE ||
               reason == SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM || reason == SSL_R_NO_APPLICATION_PROTOCOL) {
        fault_.kind = TlsFault::Kind::unlike;
    } else if (reason > SSL_AD_REASON_OFFSET) {
        fault_.kind = TlsFault::Kind::refused;
    }
}

}  // namespace weir::net
