#include "proxy/exchange_state.h"

namespace weir::proxy {

namespace {

using State = ExchangeState;
using Event = ExchangeEvent;

std::optional<State> from_receiving(Event event) {
    if (event == Event::request_held) return State::waiting;
    if (event == Event::refused) return State::replying;
    return std::nullopt;
}

std::optional<State> from_waiting(Event event) {
    if (event == Event::slots_held) return State::connecting;
    if (event == Event::refused) return State::replying;
    return std::nullopt;
}

std::optional<State> from_holding(Event event) {
    if (event == Event::released) return State::connecting;
    if (event == Event::refused) return State::replying;
    return std::nullopt;
}

std::optional<State> from_connecting(Event event) {
    if (event == Event::unreachable) return State::holding;
    if (event == Event::connected) return State::awaiting;
    if (event == Event::repeat) return State::connecting;
    if (event == Event::refused) return State::replying;
    return std::nullopt;
}

std::optional<State> from_awaiting(Event event) {
    if (event == Event::repeat) return State::connecting;
    if (event == Event::response_head) return State::streaming;
    if (event == Event::upgraded) return State::tunnel;
    if (event == Event::refused) return State::replying;
    return std::nullopt;
}

}  // namespace

std::optional<State> next_state(State state, Event event) {
    if (event == Event::client_gone && state != State::closed) return State::closed;
    switch (state) {
        case State::receiving: return from_receiving(event);
        case State::waiting: return from_waiting(event);
        case State::holding: return from_holding(event);
        case State::connecting: return from_connecting(event);
        case State::awaiting: return from_awaiting(event);
        case State::streaming:
            return event == Event::response_end ? std::optional(State::replying) : std::nullopt;
        case State::tunnel: return event == Event::tunnel_end ? std::optional(State::closed) : std::nullopt;
        case State::replying: return event == Event::sent ? std::optional(State::closed) : std::nullopt;
        case State::closed: return std::nullopt;
    }
    return std::nullopt;
}

Holdings holdings_of(State state) {
    switch (state) {
        case State::receiving: return {.request = true};
        case State::waiting: return {.request = true, .slots = true};
        case State::holding: return {.request = true, .slots = true};
        case State::connecting: return {.request = true, .slots = true, .lease = true};
        case State::awaiting: return {.request = true, .slots = true, .lease = true};
        case State::streaming: return {.request = true, .slots = true, .lease = true};
        // It may live for days and need no worker of the app: `max_connections` bounds how many there are.
        case State::tunnel: return {.lease = true};
        case State::replying: return {};
        case State::closed: return {};
    }
    return {};
}

std::string_view name_of(State state) {
    switch (state) {
        case State::receiving: return "receiving";
        case State::waiting: return "waiting";
        case State::holding: return "holding";
        case State::connecting: return "connecting";
        case State::awaiting: return "awaiting";
        case State::streaming: return "streaming";
        case State::tunnel: return "tunnel";
        case State::replying: return "replying";
        case State::closed: return "closed";
    }
    return "";
}

}  // namespace weir::proxy
