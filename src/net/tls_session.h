// TLS (1.2 and 1.3) on one socket, behind net/stream.h. Both roles.
#pragma once

#include <openssl/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/io_result.h"
#include "net/tls_wire.h"

namespace weir::net {

/// Why TLS with a peer came to nothing.
struct TlsFault {
    enum class Kind : uint8_t {
        none,
        untrusted,       ///< the peer's certificate leads to none that is trusted; `cause` says how
        other_name,      ///< it is for another name or address
        expired,         ///< it, or one it leads to, has expired
        not_yet_valid,   ///< the same, and will be valid later
        not_tls,         ///< the peer speaks something else
        too_old,         ///< the peer speaks no version that is spoken here
        no_certificate,  ///< the client has shown none, and has to
        unlike,          ///< the two have no cipher, group or protocol in common; `cause` says which
        refused,         ///< the peer sent an alert; `cause` names it
        ended,           ///< the peer closed before the handshake was over
        broken,          ///< anything else; `cause` is OpenSSL's
    };
    Kind kind = Kind::none;
    std::string cause;
};

struct FreeSsl {
    void operator()(SSL* ssl) const;
};
using OwnedSsl = std::unique_ptr<SSL, FreeSsl>;

class TlsServerContext;

/// Owned by its stream; thread: the stream's. Made by a TlsClientContext or TlsServerContext, which has
/// decided the role, the trust and the name.
///
/// Writing: bytes count as accepted when the kernel has the whole of their records. A record of which the
/// socket took a part, or nothing, is kept here and accepted by a later write(), so whoever writes after a
/// short write goes on with the bytes that were not accepted, as with any socket. What is kept is one record,
/// at most 16 KiB of payload.
class TlsSession {
  public:
    static constexpr size_t kMaxRecord = 16384;  ///< payload (RFC 8446, 5.1)

    /// `server`: what it was made of in the server's role, kept for as long as this is.
    explicit TlsSession(OwnedSsl ssl, std::shared_ptr<const TlsServerContext> server = nullptr);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// The socket stays the caller's. -1: it is gone.
    void attach(int fd) { wire_.fd = fd; }

    /// `ok` once both sides have agreed; `again` where bytes of the peer, or room in the socket, are needed
    /// first.
    IoResult handshake();
    [[nodiscard]] bool is_established() const { return established_; }

    /// As much as there is room for, from as many records as that takes. Does the handshake first where it is
    /// not over; the same goes for peek().
    IoResult read(std::span<char> room);
    /// Whether something can be read. Records that carry nothing for the reader are taken: session tickets,
    /// say.
    IoResult peek();
    /// read() and peek() go on when the socket has room again: the protocol itself has something to say.
    [[nodiscard]] bool read_waits_for_room() const { return read_waits_for_room_; }
    /// After read() gave bytes: the socket was read until it had no more, or gave less than was asked for,
    /// and nothing is left in here.
    [[nodiscard]] bool is_drained() const { return drained_; }

    /// After the handshake alone. Small pieces are gathered into one record.
    IoResult write(std::span<const iovec> pieces);

    /// Tells the peer that nothing more will come. `again`: the socket is full. `failed`: it cannot be said,
    /// because the handshake is not over, a record is under way, or the connection is broken; to the peer,
    /// what it has had is then not the whole.
    IoStatus say_end();
    /// Nothing will be said at the end: what the peer has had is not the whole.
    void stay_silent() { silent_ = true; }
    /// The peer has said that nothing more will come.
    [[nodiscard]] bool peer_has_ended() const { return end_ && end_->status == IoStatus::closed; }

    /// What it was that failed; `none` where nothing did.
    [[nodiscard]] const TlsFault& fault() const { return fault_; }
    /// Bytes on the wire in both directions, those of the handshake included.
    [[nodiscard]] const TlsWire& wire() const { return wire_; }
    [[nodiscard]] bool was_resumed() const;
    /// Of a handshake that is over: "TLSv1.3", and what both sides have agreed to speak inside (RFC 7301),
    /// "" where they spoke of nothing.
    [[nodiscard]] std::string_view version() const;
    [[nodiscard]] std::string_view protocol() const;
    /// Whom the client's certificate is for (RFC 4514), in printable ASCII; "" where none was asked for.
    [[nodiscard]] const std::string& client_subject() const { return client_subject_; }
    /// Whether the client has shown what it has to for `host`, a name with or without a port: a name may ask
    /// for a certificate that the one it shook hands for did not.
    [[nodiscard]] bool admits(std::string_view host) const;

  private:
    class Pieces;
    [[nodiscard]] bool may_speak() const;
    IoResult failure(int result);
    IoResult read_failure(int result);
    void note_fault(unsigned long code);
    [[nodiscard]] bool note_client();

    TlsWire wire_;
    std::shared_ptr<const TlsServerContext> server_;
    OwnedSsl ssl_;
    std::string client_subject_;
    std::optional<IoResult> end_;  ///< what every further read returns
    size_t pending_ = 0;           ///< payload of a record that is not out
    size_t owed_ = 0;              ///< payload that is out, and that no write() has accepted
    bool established_ = false;
    bool drained_ = false;
    bool read_waits_for_room_ = false;
    bool silent_ = false;
    TlsFault fault_;
};

}  // namespace weir::net
