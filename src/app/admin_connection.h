// One connection to the admin address.
#pragma once

#include <sys/uio.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "app/admin_pages.h"
#include "base/timing_wheel.h"
#include "http/head_scan.h"
#include "net/loop.h"
#include "net/stream.h"

namespace weir::app {

class AdminListener;

/// Owned by its listener; thread: the control thread's. Reads one head after the other, of at most kMostHead
/// bytes, and answers each. What has a body is answered and closed: nothing here takes one.
class AdminConnection final : public net::Stream::Owner, public net::Retirable {
  public:
    static constexpr size_t kMostHead = 8192;
    static constexpr size_t kMostFields = 100;
    static constexpr Duration kForHead = std::chrono::seconds(10);
    static constexpr Duration kForAnswer = std::chrono::seconds(30);  ///< until the client has read it
    static constexpr Duration kIdle = std::chrono::seconds(75);       ///< between two requests

    AdminConnection(AdminListener& listener, net::Loop& loop, net::Fd fd);

    void on_ready() override;
    /// What it waited for may be made now.
    void answer_in_round();
    /// It waits for its next request.
    [[nodiscard]] bool is_idle() const { return state_ == State::reading && has_answered_ && input_.empty(); }
    void close();
    size_t slot = 0;  ///< where the listener keeps it

  private:
    using Answer = std::shared_ptr<const AdminAnswer>;
    enum class State : uint8_t {
        reading,
        waiting,  ///< for the round in which what was asked for is made
        writing,
        lingering,  ///< the last answer is out; what still comes is dropped
        closed,
    };
    static void on_timer(void* connection, Time now);
    static void on_task(void* connection);

    void read();
    void take_requests();
    void take_request(std::string_view bytes);
    void refuse(uint16_t status, std::string_view detail, const http::RequestHead& head);
    void answer(const http::RequestHead& head);
    void queue(Answer answer, const http::RequestHead& head, bool keep_alive);
    [[nodiscard]] std::array<iovec, 2> unwritten();
    void write();
    void linger();

    AdminListener& listener_;
    net::Loop& loop_;
    net::Stream stream_;
    Timer timer_;
    net::Task task_;  ///< the next request of those that came together
    State state_ = State::reading;
    http::HeadScan scan_;
    std::string input_;
    std::string asked_;        ///< the head that waits for its round
    std::string output_head_;  ///< of the answer that is being written
    Answer output_;            ///< it; shared with others who asked for the same
    size_t body_bytes_ = 0;    ///< of it that are written: none for HEAD
    size_t written_ = 0;       ///< of head and body
    bool keep_alive_ = true;
    bool has_answered_ = false;
};

}  // namespace weir::app
