#include "proxy/kit.h"

#include <utility>

#include "proxy/client_h1.h"

namespace weir::proxy {

Kit::Kit(net::Loop& loop_, std::shared_ptr<Plan> first, MemoryBudget& budget_, ConnectionGate& gate_,
         std::array<uint64_t, 2> id_seeds)
    : loop(loop_),
      plans(std::move(first)),
      budget(budget_),
      gate(gate_),
      blocks(budget_),
      access_log(plan().around.log_writer.get(), settings().log.format),
      metrics(std::make_shared<Metrics>(plan().rules, plan().fleet->size())),
      ids(id_seeds[0], id_seeds[1]),
      remote_tasks(loop_) {}

Kit::~Kit() = default;

std::span<char> Kit::read_room() {
    return {slab.data(), budget.exhausted() ? kPressedReadBytes : slab.size()};
}

http::RequestHead& Kit::blank_request() {
    auto fields = std::move(request_scratch.fields);
    fields.clear();
    request_scratch = {};
    request_scratch.fields = std::move(fields);
    return request_scratch;
}

http::ResponseHead& Kit::blank_response(uint16_t status) {
    auto fields = std::move(response_scratch.fields);
    fields.clear();
    response_scratch = {};
    response_scratch.fields = std::move(fields);
    response_scratch.status = status;
    return response_scratch;
}

}  // namespace weir::proxy
