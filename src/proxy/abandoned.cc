#include "proxy/abandoned.h"

#include <algorithm>

#include "base/timing_wheel.h"
#include "proxy/kit.h"

namespace weir::proxy {

class Abandoned::Request final : public UpstreamUser, public net::Retirable {
  public:
    Request(Abandoned& all, Kept kept, Time until)
        : all_(all),
          kept_(std::move(kept)),
          timer_(
              all.kit_.loop.timers(), [](void* self, Time) { static_cast<Request*>(self)->done(); }, this) {
        kept_.leased.lease->pass_to(*this);
        kept_.leased.lease->stream().shut_write();
        timer_.arm(until);
    }

    void on_connected() override {}
    void on_upstream_writable() override {}
    void on_interim(const http::ResponseHead&) override {}
    // What follows the head, an app without a reader learns from its next write that there is none.
    void on_response_head(http::ResponseHead&, http::Body) override { done(); }
    void on_response_body(std::string_view) override {}
    void on_response_end(std::string_view) override {}
    void on_read_turn_end() override {}
    void on_upgraded(const http::ResponseHead&, std::string_view) override { done(); }
    void on_tunnel_ready() override {}
    void on_upstream_failed(const Error&) override { done(); }

    size_t slot = 0;  ///< where its owner keeps it

  private:
    void done() {
        timer_.disarm();
        kept_.leased.lease.drop();
        kept_.leased.visit = {};
        for (policy::Permit& permit : kept_.permits) permit.settle(all_.kit_.loop.now());
        all_.forget(*this);
    }

    Abandoned& all_;
    Kept kept_;
    Timer timer_;
};

Abandoned::Abandoned(Kit& kit) : kit_(kit) {}

Abandoned::~Abandoned() = default;

void Abandoned::keep(Kept kept, Time until) {
    all_.push_back(std::make_unique<Request>(*this, std::move(kept), until));
    all_.back()->slot = all_.size() - 1;
}

void Abandoned::shut() { all_.clear(); }

void Abandoned::forget(Request& request) {
    const size_t slot = request.slot;
    std::swap(all_[slot], all_.back());
    all_[slot]->slot = slot;
    kit_.loop.retire(std::move(all_.back()));
    all_.pop_back();
}

}  // namespace weir::proxy
