// What one HTTP/2 connection may do that costs it little and weir much: it is cheap to open a stream and
// reset it, to ask for an answer to a PING, or to send frames without content. RFC 9113, 10.5.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "policy/gcra.h"

namespace weir::policy {

/// Why a connection is ended with ENHANCE_YOUR_CALM.
enum class Flood : uint8_t {
    resets,         ///< streams reset by the client, or for what it sent
    empty_data,     ///< DATA frames without payload
    control,        ///< frames that move no request: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, unknown ones
    continuations,  ///< a field section in more frames than any needs
    fields,         ///< a field section far beyond what is let in
    slow_fields,    ///< one that did not end in time
    unread,         ///< answers to control frames that the client does not read
};
inline constexpr size_t kFloods = 7;
[[nodiscard]] std::string_view name_of(Flood);

/// A connection's tokens for `resets`, `empty_data` and `control`. Thread: its worker's.
class FloodGuard {
  public:
    static constexpr uint32_t kResets = 100;  ///< at once, for `resets` and for `empty_data`
    static constexpr uint32_t kResetsPerSecond = 10;
    static constexpr uint32_t kControls = 1000;  ///< at once, and as many again a second later
    static constexpr uint32_t kContinuations = 6;

    FloodGuard();

    /// Counts one more. False: it is one too many.
    [[nodiscard]] bool admit(Flood kind, Time now);
    /// A request or a piece of a body, in either direction: what is sent around it is no flood. Clients
    /// measure with a PING for each piece, and open their window behind each.
    void note_progress() { cells_[static_cast<size_t>(Flood::control)] = {}; }
    /// A field section begins; its continuations are counted anew.
    void begin_section() { continuations_ = 0; }

  private:
    TokenBucket resets_;
    TokenBucket controls_;
    uint32_t continuations_ = 0;
    std::array<TokenBucket::Cell, 3> cells_{};
};

}  // namespace weir::policy
