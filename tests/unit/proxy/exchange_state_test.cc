#include "proxy/exchange_state.h"

#include <doctest/doctest.h>

#include <array>
#include <queue>
#include <set>

namespace weir::proxy {

namespace {

using State = ExchangeState;
using Event = ExchangeEvent;

constexpr std::array kStates = {State::receiving,  State::waiting,  State::holding,
                                State::connecting, State::awaiting, State::streaming,
                                State::tunnel,     State::replying, State::closed};
constexpr std::array kEvents = {
    Event::request_held, Event::slots_held,    Event::unreachable, Event::released,     Event::connected,
    Event::repeat,       Event::response_head, Event::upgraded,    Event::response_end, Event::refused,
    Event::sent,         Event::tunnel_end,    Event::client_gone};

bool has_response_head(State state) { return state == State::streaming || state == State::tunnel; }

/// Every state that can come after `start`, itself included.
std::set<State> reachable_from(State start) {
    std::set<State> seen{start};
    std::queue<State> open;
    open.push(start);
    while (!open.empty()) {
        State state = open.front();
        open.pop();
        for (Event event : kEvents)
            if (auto next = next_state(state, event); next && seen.insert(*next).second) open.push(*next);
    }
    return seen;
}

}  // namespace

TEST_CASE("every state can be reached from the first one") {
    CHECK(reachable_from(State::receiving) == std::set<State>(kStates.begin(), kStates.end()));
}

TEST_CASE("every state hears that the client is gone, and closes") {
    for (State state : kStates) {
        CAPTURE(name_of(state));
        if (state != State::closed) CHECK(next_state(state, Event::client_gone) == State::closed);
    }
}

TEST_CASE("nothing comes behind closed") {
    for (Event event : kEvents) CHECK_FALSE(next_state(State::closed, event));
}

TEST_CASE("no state behind a response head can be refused, or be asked again") {
    for (State state : kStates) {
        if (!has_response_head(state)) continue;
        for (State later : reachable_from(state)) {
            CAPTURE(name_of(later));
            CHECK_FALSE(next_state(later, Event::refused));
            CHECK_FALSE(next_state(later, Event::repeat));
        }
    }
}

TEST_CASE("every state before a response head can be refused, so an error there always has an answer") {
    for (State state : {State::receiving, State::waiting, State::holding, State::connecting, State::awaiting})
        CHECK(next_state(state, Event::refused) == State::replying);
}

TEST_CASE("a lease is held only where the app is asked, and never at rest") {
    for (State state : kStates) {
        CAPTURE(name_of(state));
        bool asks = state == State::connecting || state == State::awaiting || state == State::streaming ||
                    state == State::tunnel;
        CHECK(holdings_of(state).lease == asks);
    }
}

TEST_CASE("slots are held from before the app is asked until its answer is over, and not by a tunnel") {
    for (State state : kStates) {
        CAPTURE(name_of(state));
        bool needs = state == State::waiting || state == State::holding || state == State::connecting ||
                     state == State::awaiting || state == State::streaming;
        CHECK(holdings_of(state).slots == needs);
    }
    CHECK(next_state(State::awaiting, Event::repeat) == State::connecting);
}

TEST_CASE("the request is held for as long as it may have to be sent again") {
    for (State state : kStates)
        if (next_state(state, Event::repeat)) CHECK(holdings_of(state).request);
    CHECK_FALSE(holdings_of(State::replying).request);
    CHECK_FALSE(holdings_of(State::closed).request);
}

TEST_CASE("every state has a name of its own") {
    std::set<std::string_view> names;
    for (State state : kStates) names.insert(name_of(state));
    CHECK(names.size() == kStates.size());
    CHECK(names.count("") == 0);
}

}  // namespace weir::proxy
