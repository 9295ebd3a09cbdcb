// How another configuration takes the place of the one that holds. All of it is read, checked and opened
// first; from then on nothing can fail.
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/server.h"
#include "app/service_notice.h"
#include "base/log.h"

namespace weir::app {

namespace {

void log_lines(std::string_view text) {
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        log::error("{}", text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

constexpr Duration kFarewellPeriod = std::chrono::seconds(1);

/// On a thread of its own where there can be one.
std::future<void> end_elsewhere(std::shared_ptr<proxy::LogWriter> log) {
    try {
        return std::async(std::launch::async, [held = std::move(log)]() mutable { held.reset(); });
    } catch (const std::system_error&) {
        return {};
    }
}

bool has_ended(const std::future<void>& farewell) {
    return !farewell.valid() || farewell.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

/// As SIGHUP and the admin address ask for it.
Result<bool> Server::reload() {
    // The manager takes no time from before its signal, which may be younger than the batch of events.
    if (!draining_) service_notice::reloading(loop_.fresh_now());
    auto changed = read_and_change();
    if (overview_) overview_->is_last_load_good = changed.has_value();
    if (changed) {
        log::info("reloaded: the configuration that was read holds");
    } else {
        log::error("not reloaded, the former configuration holds:");
        log_lines(changed.error());
    }
    if (!draining_) notify_ready(changed ? "" : "the former configuration holds, see the log; ");
    return changed;
}

Result<bool> Server::read_and_change() {
    if (draining_) return fail(std::string("weir is draining"));
    if (!read_again_) return fail(std::string("there is no configuration to read again"));
    auto configuration = read_again_();
    if (!configuration) return fail(configuration.error());
    return change_to(std::move(*configuration));
}

Result<bool> Server::change_to(Configuration configuration) {
    const std::vector<std::string> restarts = what_needs_restart(settings(), configuration.settings);
    auto plan = make_plan(std::move(configuration.settings), plan_.get());
    if (!plan) return fail(plan.error());
    auto doors = front_door_->prepare((*plan)->settings.listen);
    if (!doors) return fail(doors.error());
    auto listening = listening_.prepare((*plan)->settings.listen);
    if (!listening) return fail(listening.error());
    // Those who ask the servers go on where they would ask the same.
    const bool asks_the_same =
        (*plan)->fleet == plan_->fleet && (*plan)->settings.upstream.host == settings().upstream.host;
    std::unique_ptr<net::Resolver> resolver;
    if (!asks_the_same) {
        auto made = make_resolver(*plan);
        if (!made) return fail(made.error());
        resolver = std::move(*made);
    }
    for (const std::string& key : restarts) log::warning("{} has changed: that takes a restart", key);
    // By the time that the workers are told, the former one has to be silent: what it finds is for a server
    // by its number.
    if (resolver) resolver_.reset();
    put_in_force(std::move(*plan));
    if (resolver) ask_servers(std::move(resolver));
    front_door_->change(std::move(*doors));
    change_listening(std::move(*listening));
    if (overview_) {
        overview_->effective_config = std::move(configuration.effective);
        overview_->loaded_at = loop_.calendar_time();
    }
    return true;
}

void Server::put_in_force(std::shared_ptr<proxy::Plan> plan) {
    const std::shared_ptr<proxy::Plan> before = std::exchange(plan_, std::move(plan));
    log::set_level(log_level_of(settings().log.level));
    budget_.set_limit(settings().limits.memory_bytes);
    gate_.set_bounds(connection_bounds(settings().clients));
    plan_->rules.take_effect(loop_.now());
    plan_->fleet->bound_connections(settings());
    const auto& former_log = before->around.log_writer;
    if (former_log == plan_->around.log_writer) {
        if (former_log) former_log->reopen();
    } else if (former_log) {
        let_log_go(former_log);
    }
    adopted_.assign(workers_.size(), nullptr);
    for (size_t worker = 0; worker < workers_.size(); ++worker)
        workers_[worker]->adopt(plan_, [this, worker, adopted = plan_](auto figures) {
            control_.post([this, worker, adopted, figures] { on_adopted(adopted, worker, figures); });
        });
}

/// The plan that it belongs to ends on a worker, which must not wait for a disk or a reader that is stuck.
void Server::let_log_go(std::shared_ptr<proxy::LogWriter> log) {
    former_logs_.push_back(std::move(log));
    farewell_timer_.arm(loop_.now() + kFarewellPeriod);
}

void Server::on_farewell(void* server, Time now) {
    auto& self = *static_cast<Server*>(server);
    std::erase_if(self.farewells_, [](const auto& each) { return has_ended(each); });
    for (auto& log : self.former_logs_)
        if (log.use_count() == 1) self.farewells_.push_back(end_elsewhere(std::exchange(log, nullptr)));
    std::erase(self.former_logs_, nullptr);
    if (!self.former_logs_.empty()) self.farewell_timer_.arm(now + kFarewellPeriod);
}

void Server::ask_servers(std::unique_ptr<net::Resolver> resolver) {
    start_checks();
    start_resolver(std::move(resolver));
}

void Server::change_listening(ListeningSet::Change change) {
    for (Listening* closing : change.closing) {
        const uint64_t number = listening_.begin_close(*closing);
        auto left = std::make_shared<size_t>(workers_.size());
        for (size_t worker = 0; worker < workers_.size(); ++worker)
            workers_[worker]->stop_accepting(closing->of_worker(worker), [this, number, left] {
                control_.post([this, number, left] {
                    if (--*left == 0) listening_.end_close(number);
                });
            });
    }
    for (const auto& [listening, configured] : change.staying) {
        const bool was_closing = listening->closing != 0;
        ListeningSet::keep(*listening);
        listening->configured = configured;
        if (was_closing || listening->entrance != front_door_->entrance(configured)) accept_from(*listening);
    }
    for (const auto& opened : change.opened) accept_from(*opened);
    listening_.add(std::move(change.opened));
}

void Server::accept_from(Listening& listening) {
    listening.entrance = front_door_->entrance(listening.configured);
    for (size_t worker = 0; worker < workers_.size(); ++worker)
        workers_[worker]->accept_from(listening.of_worker(worker), listening.entrance);
}

/// The pages go over to a plan when all workers have: figures belong to the plan they are counted under.
void Server::on_adopted(const std::shared_ptr<proxy::Plan>& plan, size_t worker,
                        std::shared_ptr<const proxy::Metrics> figures) {
    if (plan != plan_ || !overview_) return;
    adopted_[worker] = std::move(figures);
    for (const auto& each : adopted_)
        if (!each) return;
    overview_->plan = plan_;
    overview_->workers = adopted_;
}

}  // namespace weir::app
