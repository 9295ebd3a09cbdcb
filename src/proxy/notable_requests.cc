#include "proxy/notable_requests.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>

#include "proxy/access_log.h"
#include "proxy/secret_names.h"

namespace weir::proxy {

namespace {

constexpr std::string_view kEllipsis = "\u2026";

constexpr size_t most_before_path() {
    size_t sum = 0;
    for (size_t index = 0; index < static_cast<size_t>(NotableRequest::Text::path); ++index)
        sum += NotableRequest::kMost[index];
    return sum;
}

/// The oldest request has long left the caches. While it is fetched, the worker goes on.
void expect_write_at(const NotableRequest& next) {
    constexpr size_t kCacheLine = 64;
    constexpr size_t kUsualBytes = 320;
    const auto* const bytes = reinterpret_cast<const char*>(&next);
    for (size_t at = 0; at < kUsualBytes; at += kCacheLine) __builtin_prefetch(bytes + at, 1);
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

bool is_notable(const AccessRecord& record) {
    return record.refusal.has_value() || !record.cut.empty() || record.slow || record.shadow_refusals.any();
}

inline size_t NotableRequest::room_for(Text which) const {
    return std::min<size_t>(kMost[static_cast<size_t>(which)], kTextBytes - begin_of(which));
}

inline void NotableRequest::add(Text which, std::string_view text) {
    if (text.size() > room_for(which)) return add_cut(which, text);
    const size_t begin = begin_of(which);
    if (!text.empty()) std::memcpy(bytes_.data() + begin, text.data(), text.size());
    ends_[static_cast<size_t>(which)] = static_cast<uint16_t>(begin + text.size());
}

NotableRequest::NotableRequest(const AccessRecord& record)
    : time(record.time),
      queue(record.queue),
      hold(record.hold),
      connect(record.connect),
      first_byte(record.first_byte),
      total(record.total),
      retry_after(record.retry_after),
      refusal(record.refusal),
      retries(record.retries),
      status(record.status),
      slow(record.slow) {
    static_assert(most_before_path() + kLeastPath <= kTextBytes);
    static_assert(sizeof(NotableRequest) + sizeof(size_t) <= 648);
    add(Text::request_id, record.request_id);
    add(Text::client, record.client_address);
    add(Text::method, record.method);
    add(Text::cut, record.cut);
    add(Text::rule, record.rule);
    add(Text::route, record.route);
    add(Text::server, record.server);
    add_path(record.target);
    add(Text::detail, record.detail);
    add_shadow(record);
}

/// What does not fit ends in an ellipsis, and in no part of a UTF-8 character.
void NotableRequest::add_cut(Text which, std::string_view text) {
    const size_t begin = begin_of(which);
    const size_t most = room_for(which);
    char* const out = bytes_.data() + begin;
    size_t length = most < kEllipsis.size() ? 0 : most - kEllipsis.size();
    while (length > 0 && is_continuation(text[length])) --length;
    text.copy(out, length);
    if (most >= kEllipsis.size()) length += kEllipsis.copy(out + length, kEllipsis.size());
    ends_[static_cast<size_t>(which)] = static_cast<uint16_t>(begin + length);
}

/// What fits is struck out first: a secret that is cut is none the less one.
void NotableRequest::add_path(std::string_view target) {
    if (target.size() <= kMaxLoggedTarget && !find_secret(target)) return add(Text::path, target);
    std::array<char, kMost[static_cast<size_t>(Text::path)] + 1> struck;
    size_t length = 0;
    const auto append = [&](std::string_view piece) {
        length += piece.copy(struck.data() + length, struck.size() - length);
    };
    strike_out_secrets(target.substr(0, kMaxLoggedTarget), append);
    if (target.size() > kMaxLoggedTarget) append(kEllipsis);
    add(Text::path, {struck.data(), length});
}

void NotableRequest::add_shadow(const AccessRecord& record) {
    if (record.shadow_refusals.none()) return add(Text::shadow, {});
    std::array<char, kMost[static_cast<size_t>(Text::shadow)] + 1> names;
    size_t length = 0;
    const auto append = [&](std::string_view text) {
        length += text.copy(names.data() + length, names.size() - length);
    };
    for_each_shadow_refusal(record, [&](size_t index) {
        if (length > 0) append(" ");
        append(record.shadow_names[index]);
    });
    add(Text::shadow, {names.data(), length});
}

NotableRequests::NotableRequests(size_t workers)
    : capacity_(std::max<size_t>(kMost / std::max<size_t>(workers, 1), 1)) {
    hashes_.reserve(capacity_);
    requests_.reserve(capacity_);
}

void NotableRequests::note(const AccessRecord& record) {
    const std::lock_guard lock(mutex_);
    const size_t hash = std::hash<std::string_view>{}(record.request_id);
    const size_t slot = count_++ % capacity_;
    if (requests_.size() < capacity_) {
        requests_.emplace_back(record);
        hashes_.push_back(hash);
    } else {
        // In its place: most of the room for texts is neither written nor fetched.
        std::construct_at(&requests_[slot], record);
        hashes_[slot] = hash;
    }
    if (requests_.size() == capacity_) expect_write_at(requests_[count_ % capacity_]);
}

std::optional<NotableRequest> NotableRequests::find(std::string_view request_id) const {
    const size_t hash = std::hash<std::string_view>{}(request_id);
    const std::lock_guard lock(mutex_);
    for (size_t back = 1; back <= requests_.size(); ++back) {
        const size_t slot = (count_ - back) % capacity_;
        if (hashes_[slot] != hash) continue;
        if (requests_[slot].text(NotableRequest::Text::request_id) == request_id) return requests_[slot];
    }
    return std::nullopt;
}

}  // namespace weir::proxy
