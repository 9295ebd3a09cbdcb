#include "http/field_id.h"

#include <array>
#include <cstring>

#include "http/char_class.h"

namespace weir::http {
namespace {

struct Known {
    std::string_view name;  // in lower case
    FieldId id = FieldId::other;
};

constexpr Known kKnown[] = {
    {"connection", FieldId::connection},
    {"content-length", FieldId::content_length},
    {"content-type", FieldId::content_type},
    {"date", FieldId::date},
    {"expect", FieldId::expect},
    {"forwarded", FieldId::forwarded},
    {"grpc-timeout", FieldId::grpc_timeout},
    {"host", FieldId::host},
    {"keep-alive", FieldId::keep_alive},
    {"path-info", FieldId::path_info},
    {"proxy-authenticate", FieldId::proxy_authenticate},
    {"proxy-authorization", FieldId::proxy_authorization},
    {"proxy-connection", FieldId::proxy_connection},
    {"referer", FieldId::referer},
    {"script-name", FieldId::script_name},
    {"server", FieldId::server},
    {"te", FieldId::te},
    {"traceparent", FieldId::traceparent},
    {"trailer", FieldId::trailer},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"upgrade", FieldId::upgrade},
    {"user-agent", FieldId::user_agent},
    {"x-client-cert-subject", FieldId::x_client_cert_subject},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"x-forwarded-host", FieldId::x_forwarded_host},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"x-real-ip", FieldId::x_real_ip},
    {"x-request-deadline", FieldId::x_request_deadline},
    {"x-request-id", FieldId::x_request_id},
    {"x-request-start", FieldId::x_request_start},
    {"x-request-timeout", FieldId::x_request_timeout},
};

// A perfect hash: the factors are such that no two known names share a slot, which the compiler verifies. No
// known name begins or ends with "-", so a name and its folded twin hash alike.
constexpr size_t kSlots = 128;
constexpr size_t slot_of(std::string_view name) {
    const auto first = static_cast<unsigned char>(lower(name.front()));
    const auto last = static_cast<unsigned char>(lower(name.back()));
    return (name.size() + size_t{10} * first + last) % kSlots;
}

constexpr bool no_slot_is_shared() {
    std::array<bool, kSlots> taken{};
    for (const Known& known : kKnown) {
        bool& slot = taken[slot_of(known.name)];
        if (slot) return false;
        slot = true;
    }
    return true;
}
static_assert(no_slot_is_shared(), "choose another factor in slot_of");

constexpr std::array<Known, kSlots> make_slots() {
    std::array<Known, kSlots> slots{};
    for (const Known& known : kKnown) slots[slot_of(known.name)] = known;
    return slots;
}
constexpr std::array<Known, kSlots> kTable = make_slots();

constexpr char folded(char c) { return c == '_' ? '-' : lower(c); }

template <class Fold>
bool matches(std::string_view name, std::string_view known, Fold fold) {
    for (size_t i = 0; i < known.size(); ++i) {
        if (fold(name[i]) != known[i]) return false;
    }
    return true;
}

template <class Word>
bool matches_at(const char* name, const char* known) {
    Word ours = 0;
    Word theirs = 0;
    std::memcpy(&ours, name, sizeof ours);
    std::memcpy(&theirs, known, sizeof theirs);
    return lower(uint64_t{ours}) == theirs;
}

/// By words, the last of which may overlap the one before it.
template <class Word>
bool matches_by(std::string_view name, const char* known) {
    const size_t last = name.size() - sizeof(Word);
    for (size_t at = 0; at < last; at += sizeof(Word)) {
        if (!matches_at<Word>(name.data() + at, known + at)) return false;
    }
    return matches_at<Word>(name.data() + last, known + last);
}

/// Both are of one size.
bool matches_in_lower_case(std::string_view name, std::string_view known) {
    if (name.size() >= sizeof(uint64_t)) return matches_by<uint64_t>(name, known.data());
    if (name.size() >= sizeof(uint32_t)) return matches_by<uint32_t>(name, known.data());
    return matches(name, known, [](char c) { return lower(c); });
}

template <class Matches>
FieldId look_up(std::string_view name, Matches is_known) {
    if (name.empty()) return FieldId::other;
    const Known& known = kTable[slot_of(name)];
    return known.name.size() == name.size() && is_known(name, known.name) ? known.id : FieldId::other;
}

}  // namespace

FieldId field_id_of(std::string_view name) { return look_up(name, &matches_in_lower_case); }

FieldId folded_field_id_of(std::string_view name) {
    return look_up(name, [](std::string_view ours, std::string_view known) {
        return matches(ours, known, [](char c) { return folded(c); });
    });
}

bool is_x_forwarded(std::string_view name) {
    constexpr std::string_view kPrefix = "x-forwarded-";
    return name.size() > kPrefix.size() && matches(name, kPrefix, [](char c) { return folded(c); });
}

}  // namespace weir::http
