// What all connections of one worker share: handed around as one reference instead of a dozen.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/block_pool.h"
#include "base/endpoint.h"
#include "base/object_pool.h"
#include "http/h2_answer.h"
#include "http/imf_date.h"
#include "http/message.h"
#include "http/request_id.h"
#include "net/loop.h"
#include "net/remote_task.h"
#include "proxy/access_log.h"
#include "proxy/client_book.h"
#include "proxy/metrics.h"
#include "proxy/notable_requests.h"
#include "proxy/plans.h"
#include "proxy/response_sender.h"

namespace weir::proxy {

class Abandoned;
class ConnectionGate;
class Hold;
class UpstreamSet;
class H2Stream;
struct Turn;

/// Thread: its worker's. Outlives every connection of the worker. The scratch members hold nothing from one
/// callback to the next.
struct Kit {
    static constexpr size_t kSlabBytes = 65536;
    /// Under memory pressure a stream whose sink is empty still reads this much at a time: everything goes
    /// on, slowly, and what is held beyond the budget is bounded by this for each stream.
    static constexpr size_t kPressedReadBytes = 4096;

    Kit(net::Loop& loop_, std::shared_ptr<Plan> first, MemoryBudget& budget_, ConnectionGate& gate_,
        std::array<uint64_t, 2> id_seeds);
    ~Kit();

    net::Loop& loop;
    Plans plans;
    MemoryBudget& budget;
    ConnectionGate& gate;
    BlockPool blocks;
    AccessLog access_log;
    std::shared_ptr<Metrics> metrics;  ///< of the current plan; never null
    NotableRequests notable_requests;
    ClientBook client_book;
    http::RequestIdSource ids;
    http::DateCache date;
    UpstreamSet* upstreams = nullptr;
    Abandoned* abandoned = nullptr;
    Hold* hold = nullptr;
    size_t worker = 0;  ///< which one this is
    net::RemoteTasks remote_tasks;
    ObjectPool<Turn> turns;
    ObjectPool<H2Stream> h2_streams;
    bool draining = false;
    /// To one server, or none of them could be asked: they are looked up, and checked, again.
    std::function<void(const std::optional<Endpoint>&)> on_connect_failed = [](const auto&) {};

    http::RequestHead request_scratch;
    http::ResponseHead response_scratch;
    http::H2Answer h2_answer;
    Gather gather;
    std::string quota_text;
    std::string reply_text;
    std::array<char, kSlabBytes> slab;

    /// What holds for whoever begins now.
    [[nodiscard]] Plan& plan() const { return plans.current(); }
    [[nodiscard]] const config::Settings& settings() const { return plan().settings; }

    /// Whoever begins from now on goes by this plan.
    void adopt(std::shared_ptr<Plan> plan);
    /// Log line and figures of an exchange that has ended.
    void close_books(const PlanPin& began_with, const Scope& scope, const AccessRecord& record);

    /// Where to read into: the slab, or less of it while memory is short.
    [[nodiscard]] std::span<char> read_room();
    /// The scratch heads, emptied but for their vector's memory.
    http::RequestHead& blank_request();
    http::ResponseHead& blank_response(uint16_t status);
};

}  // namespace weir::proxy
