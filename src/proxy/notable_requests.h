// The last requests that somebody may ask about: those that weir refused, failed or cut off, those that a
// rule in shadow would have refused, and slow ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/reason.h"
#include "proxy/access_record.h"

namespace weir::proxy {

/// A plain value of fixed size: what the access log says of a request, its texts cut where they are long
/// (they then end in an ellipsis). Secrets in the query are struck out as in the log, before it is stored.
class NotableRequest {
  public:
    /// In the order in which room is given to them: up to `path` each has all that it may have.
    enum class Text : uint8_t { request_id, client, method, cut, rule, route, server, path, detail, shadow };
    static constexpr size_t kTexts = 10;
    /// What each may have at most; all that is known of a path besides is kLeastPath.
    static constexpr std::array<uint16_t, kTexts> kMost{128, 46, 32, 20, 48, 48, 48, 256, 120, 96};
    static constexpr size_t kLeastPath = 160;

    explicit NotableRequest(const AccessRecord& record);

    /// `shadow` is the names of the rules, a space between each two.
    [[nodiscard]] std::string_view text(Text which) const {
        const size_t begin = begin_of(which);
        return {bytes_.data() + begin, ends_[static_cast<size_t>(which)] - begin};
    }

    WallTime time;
    Duration queue;  ///< this and the next as in AccessRecord: negative where it never came to that
    Duration hold;
    Duration connect;
    Duration first_byte;
    Duration total;
    Duration retry_after;
    std::optional<http::Reason> refusal;
    uint32_t retries;
    uint16_t status;
    bool slow;

  private:
    static constexpr size_t kTextBytes = 536;

    void add(Text which, std::string_view text);
    void add_cut(Text which, std::string_view text);
    void add_path(std::string_view target);
    void add_shadow(const AccessRecord& record);
    [[nodiscard]] size_t begin_of(Text which) const {
        return which == Text{} ? 0 : ends_[static_cast<size_t>(which) - 1];
    }
    [[nodiscard]] size_t room_for(Text which) const;

    std::array<uint16_t, kTexts> ends_;
    std::array<char, kTextBytes> bytes_;  // not initialised beyond the last text
};

/// Whether it is one of them.
[[nodiscard]] bool is_notable(const AccessRecord& record);

/// Those of one worker: a ring of fixed size. note() is its worker's, find() any thread's; both hold a lock
/// for well below 10 us, which for the worker is uncontended but while somebody asks. Allocates at the start
/// alone: 648 bytes for each request, of memory that is not touched before there are as many.
class NotableRequests {
  public:
    /// Of all workers together; each has its share. About 6.5 MB.
    static constexpr size_t kMost = 10'000;

    explicit NotableRequests(size_t workers);
    NotableRequests(const NotableRequests&) = delete;
    NotableRequests& operator=(const NotableRequests&) = delete;

    void note(const AccessRecord& record);
    /// The last one with this id, which a client may have used more than once.
    [[nodiscard]] std::optional<NotableRequest> find(std::string_view request_id) const;
    [[nodiscard]] size_t capacity() const { return capacity_; }

  private:
    size_t capacity_;
    mutable std::mutex mutex_;
    size_t count_ = 0;  ///< that have ever been noted
    // Hashes stand apart, so that looking for an id does not walk through all of the memory.
    std::vector<size_t> hashes_;
    std::vector<NotableRequest> requests_;
};

}  // namespace weir::proxy
