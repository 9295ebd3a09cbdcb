#include "proxy/prober_set.h"

#include <utility>

namespace weir::proxy {

ProberSet::ProberSet(ProbeKit kit) : kit_(std::move(kit)) {
    for (size_t server = 0; server < kit_.fleet().size(); ++server)
        probers_.push_back(std::make_unique<Prober>(kit_, server));
}

void ProberSet::hurry(const std::optional<Endpoint>& server) {
    for (size_t index = 0; index < probers_.size(); ++index)
        if (!server || kit_.fleet().server(index).address == *server) probers_[index]->hurry();
}

}  // namespace weir::proxy
