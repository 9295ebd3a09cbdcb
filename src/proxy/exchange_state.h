// The states of an exchange and every way from one to the next. Pure, so that a test can walk all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::proxy {

enum class ExchangeState : uint8_t {
    receiving,  ///< a small body is read whole before the app is asked
    waiting,    ///< for a slot of the app, in the queue; left at once where there is one or nothing is capped
    holding,    ///< for an app that cannot be reached
    connecting,  ///< waits for a connection to the app
    awaiting,    ///< the request is on its way or sent; no response head yet
    streaming,   ///< the response head went to the client; the body follows
    tunnel,      ///< both sides agreed to another protocol; bytes pass as they are
    replying,    ///< the app is done with or was never asked; what is queued goes to the client
    closed,      ///< nothing is held; the books are ready to be closed
};

enum class ExchangeEvent : uint8_t {
    request_held,   ///< the whole body, or as much as may be held, is here
    slots_held,     ///< the caps have room for it
    unreachable,    ///< no server of the app can be reached, and it may be held
    released,       ///< it may try the app
    connected,      ///< the leased connection can be written to
    repeat,         ///< the attempt failed and may be made again
    response_head,  ///< a final response head came
    upgraded,       ///< the app switched protocols
    response_end,   ///< the app's response is complete, or has ended short of that
    refused,        ///< weir answers by itself
    sent,           ///< the client has been given everything
    tunnel_end,     ///< both directions of the tunnel have ended
    client_gone,    ///< nobody is left to answer, or the answer is cut off
};

/// nullopt: the event cannot happen in that state. No path leads from a state behind the response head to
/// `refused`.
std::optional<ExchangeState> next_state(ExchangeState, ExchangeEvent);

/// What an exchange may hold in a state; whatever else it held is dropped on entering.
struct Holdings {
    bool request = false;  ///< the bytes of the request, to be sent or sent again
    bool slots = false;    ///< its slots of the app, or its place before one of them
    bool lease = false;    ///< a connection to the app
};
[[nodiscard]] Holdings holdings_of(ExchangeState);
[[nodiscard]] std::string_view name_of(ExchangeState);

}  // namespace weir::proxy
