// How much of what one stream has sent its client has, on a connection that it shares with others.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir::proxy {

/// TCP tells how far the connection's bytes were acknowledged, not whose they were. So one point is
/// remembered (where in the connection, how much of the stream until there): once the connection was
/// acknowledged up to it, so was the stream, and the next point is where the stream is by then. What is told
/// is never too much, never less than before, and late by two samples at most.
class Delivery {
  public:
    /// `bytes` more of the stream end at `offset` of the connection.
    void note_sent(size_t bytes, uint64_t offset) {
        sent_ += bytes;
        end_ = offset;
    }
    [[nodiscard]] uint64_t sent_bytes() const { return sent_; }
    /// Where in the connection the last of it ends.
    [[nodiscard]] uint64_t end() const { return end_; }

    /// `acknowledged`: bytes of the connection.
    [[nodiscard]] uint64_t sample(uint64_t acknowledged) {
        if (acknowledged >= end_) {
            delivered_ = sent_;
        } else if (acknowledged >= point_.offset) {
            delivered_ = std::max(delivered_, point_.sent);
            point_ = {.offset = end_, .sent = sent_};
        } else {
            // Whoever's bytes are missing: no more of the stream's can be.
            const uint64_t missing = std::min(point_.sent, point_.offset - acknowledged);
            delivered_ = std::max(delivered_, point_.sent - missing);
        }
        return delivered_;
    }

  private:
    struct Point {
        uint64_t offset = 0;
        uint64_t sent = 0;
    };

    uint64_t sent_ = 0;
    uint64_t end_ = 0;
    uint64_t delivered_ = 0;
    Point point_;
};

}  // namespace weir::proxy
