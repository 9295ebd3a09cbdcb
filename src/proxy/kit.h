// What all connections of one worker share: handed around as one reference instead of a dozen.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/block_pool.h"
#include "base/object_pool.h"
#include "config/settings.h"
#include "http/cors.h"
#include "http/h2_answer.h"
#include "http/imf_date.h"
#include "http/local_reply.h"
#include "http/message.h"
#include "http/request_id.h"
#include "net/loop.h"
#include "net/remote_task.h"
#include "proxy/access_log.h"
#include "proxy/identity.h"
#include "proxy/metrics.h"
#include "proxy/public_answers.h"
#include "proxy/response_sender.h"

namespace weir::proxy {

class Abandoned;
class ConnectionGate;
class Fleet;
class Hold;
class Rules;
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

    Kit(net::Loop& loop_, const config::Settings& settings_, MemoryBudget& budget_, ConnectionGate& gate_,
        Rules& rules_, Fleet& fleet_, LogWriter* log_writer, std::array<uint64_t, 2> id_seeds);
    ~Kit();

    net::Loop& loop;
    const config::Settings& settings;
    MemoryBudget& budget;
    ConnectionGate& gate;
    Rules& rules;
    Fleet& fleet;
    BlockPool blocks;
    AccessLog access_log;
    Metrics metrics;
    http::RequestIdSource ids;
    Identity identity;
    http::Cors cors;
    PublicAnswers public_answers;
    std::optional<http::BodyTemplate> own_body;  ///< of weir's refusals; none: application/problem+json
    http::DateCache date;
    UpstreamSet* upstreams = nullptr;
    Abandoned* abandoned = nullptr;
    Hold* hold = nullptr;
    size_t worker = 0;  ///< which one this is
    net::RemoteTasks remote_tasks;
    ObjectPool<Turn> turns;
    ObjectPool<H2Stream> h2_streams;
    std::string default_host;
    bool draining = false;
    std::function<void()> on_connect_failed = [] {};  ///< asks the resolver to look again
    /// The checks of a server pass, for the first time or again.

    http::RequestHead request_scratch;
    http::ResponseHead response_scratch;
    http::H2Answer h2_answer;
    Gather gather;
    std::string quota_text;
    std::string reply_text;
    std::array<char, kSlabBytes> slab;

    /// Where to read into: the slab, or less of it while memory is short.
    [[nodiscard]] std::span<char> read_room();
    /// The Host to send to the app where it is not the client's: as configured, or the server's own for an
    /// HTTP/1.0 client that sent none. Empty: the client's.
    [[nodiscard]] std::string_view host_for(const http::RequestHead&) const;
    /// The scratch heads, emptied but for their vector's memory.
    http::RequestHead& blank_request();
    http::ResponseHead& blank_response(uint16_t status);
};

}  // namespace weir::proxy
