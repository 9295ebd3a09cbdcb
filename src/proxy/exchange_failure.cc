// What an exchange does when something goes wrong: tries again, answers in the app's stead, or cuts the
// answer off.
#include "proxy/exchange.h"
#include "proxy/kit.h"
#include "proxy/upstream_set.h"

namespace weir::proxy {

using State = ExchangeState;
using Event = ExchangeEvent;

void Exchange::fail(const Error& error) {
    if (state_ == State::replying || state_ == State::closed || state_ == State::tunnel) return;
    if (error.reason == http::Reason::upstream_connect && lease_)
        lease_->pool().note_connect_failed(lease_->address_index());
    const bool repeats = may_repeat(error);
    count_failure(error, repeats);
    if (repeats) {
        bool was_dead = error.retry == Retry::if_unprocessed;
        if (was_dead) want_ = UpstreamPool::Want::fresh;
        ++record_.retries;
        lease_.drop();
        upload_.rewind();
        enter(Event::repeat);
        return connect();
    }
    if (head_sent_) return cut(error);
    reply(error);
}

/// For the figures: what is sent again, and how it ends where the app closed the connection as it was reused.
void Exchange::count_failure(const Error& error, bool is_repeated) const {
    if (!lease_) return;
    if (is_repeated) lease_->pool().figures().retries[static_cast<size_t>(error.reason)].add();
    if (error.retry == Retry::if_unprocessed && lease_->reused()) kit_.metrics.note_race(is_repeated);
}

bool Exchange::may_repeat(const Error& error) const {
    if (state_ != State::connecting && state_ != State::awaiting) return false;
    if (!upload_.repeatable()) return false;
    switch (error.retry) {
        case Retry::no: return false;
        case Retry::always: return attempts_ < kit_.upstreams->max_attempts();
        case Retry::if_unprocessed:
            // A reused connection may have been closed for its idleness; a fresh one that dies has died of
            // this request.
            return lease_->reused() && (http::is_idempotent(method_) || lease_->none_delivered());
    }
    return false;
}

/// The client has seen the head already: it must see that what follows is not whole.
void Exchange::cut(const Error& error) {
    record_.cut = http::text_of(error.reason).slug;
    client_.send_cut();
    enter(Event::response_end);
    client_.flush();
    on_client_drained();
}

}  // namespace weir::proxy
