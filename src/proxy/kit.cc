#include "proxy/kit.h"

#include <utility>

#include "proxy/client_h1.h"
#include "proxy/h2_stream.h"
#include "proxy/hold.h"
#include "proxy/upstream_set.h"

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
      notable_requests(plan().around.workers),
      client_book(loop_.now()),
      ids(id_seeds[0], id_seeds[1]),
      remote_tasks(loop_) {}

Kit::~Kit() = default;

void Kit::adopt(std::shared_ptr<Plan> plan) {
    auto figures = std::make_shared<Metrics>(plan->rules, plan->fleet->size());
    figures->take_over(*metrics, this->plan(), *plan);
    access_log.use(plan->around.log_writer.get(), plan->settings.log.format);
    plans.adopt(std::move(plan));
    metrics = std::move(figures);
    upstreams->adopt();
    hold->adopt();
}

void Kit::close_books(const PlanPin& began_with, const Scope& scope, const AccessRecord& record) {
    access_log.write(record);
    if (is_notable(record)) notable_requests.note(record);
    if (plans.is_current(began_with)) return metrics->note(scope, record);
    const Scope* const same = plan().rules.scope_named(scope.route_name());
    metrics->note_late(same == nullptr ? *plan().rules.scope_named({}) : *same, record);
}

std::span<char> Kit::read_room() {
    return {slab.data(), budget.exhausted() ? kPressedReadBytes : slab.size()};
}

http::RequestHead& Kit::blank_request() {
    http::make_blank(request_scratch);
    return request_scratch;
}

http::ResponseHead& Kit::blank_response(uint16_t status) {
    http::make_blank(response_scratch);
    response_scratch.status = status;
    return response_scratch;
}

}  // namespace weir::proxy
