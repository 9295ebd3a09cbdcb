#include "head_checks.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "http/head_scan.h"
#include "http/trace_context.h"
#include "input.h"

namespace weir::fuzz {
namespace {

using http::Field;
using http::FieldId;
using http::HeadScan;
using http::ScanResult;

struct Found {
    ScanResult result = ScanResult::incomplete;
    size_t length = 0;  ///< of the head, where it is complete

    bool operator==(const Found&) const = default;
};

Found found(ScanResult result, const HeadScan& scan) {
    return {result, result == ScanResult::complete ? scan.looked_at : 0};
}

template <class Scan>
Found at_once(Scan scan_bytes, std::string_view bytes) {
    HeadScan scan;
    const ScanResult result = scan_bytes(bytes, scan);
    return found(result, scan);
}

template <class Scan>
Found in_pieces(Scan scan_bytes, std::string_view bytes, size_t longest_piece) {
    Choices choices(bytes);
    HeadScan scan;
    size_t arrived = 0;
    while (arrived < bytes.size()) {
        arrived = std::min(bytes.size(), arrived + 1 + choices.below(longest_piece));
        const ScanResult result = scan_bytes(bytes.substr(0, arrived), scan);
        if (result != ScanResult::incomplete) return found(result, scan);
    }
    return {};
}

std::string folded(std::string_view name) {
    std::string result(name);
    std::replace(result.begin(), result.end(), '_', '-');
    return result;
}

/// Fields that neither weir nor the connection has a say in; all others may be removed, replaced or added.
bool is_passed_through(const Field& field) {
    constexpr std::string_view kForwarded = "X-Forwarded-";
    const std::string start = folded(field.name.substr(0, kForwarded.size()));
    if (http::equals_ignoring_case(start, kForwarded)) return false;
    // "Connection: close", which weir may write, names a field of that name too.
    if (http::equals_ignoring_case(field.name, "close")) return false;
    constexpr std::array kPassed{FieldId::other,        FieldId::content_type,      FieldId::referer,
                                 FieldId::server,       FieldId::trailer,           FieldId::user_agent,
                                 FieldId::grpc_timeout, FieldId::x_request_timeout, FieldId::traceparent};
    return std::find(kPassed.begin(), kPassed.end(), folded_id(field.name)) != kPassed.end();
}

bool named_in_connection(const std::vector<Field>& fields, std::string_view name) {
    return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
        return field.id == FieldId::connection && http::lists_token(field.value, name);
    });
}

}  // namespace

std::optional<std::string_view> find_head(std::string_view bytes) {
    const Found plain = at_once(http::scan_head_scalar, bytes);
    require(at_once(http::scan_head, bytes) == plain, "the fast scan and the plain one agree");
    for (const size_t longest : {1U, 7U, 64U}) {
        require(in_pieces(http::scan_head, bytes, longest) == plain, "the fast scan is the same in pieces");
        require(in_pieces(http::scan_head_scalar, bytes, longest) == plain,
                "the plain scan is the same in pieces");
    }
    if (plain.result != ScanResult::complete) return std::nullopt;
    require(plain.length <= bytes.size(), "a head is no longer than the input");
    return bytes.substr(0, plain.length);
}

void require_sound_fields(const std::vector<Field>& fields, std::string_view head) {
    constexpr std::string_view kLineBreakers("\r\n\0", 3);
    for (const Field& field : fields) {
        require(!field.name.empty(), "no field is without a name");
        require(lies_in(field.name, head) && lies_in(field.value, head), "fields are views into the head");
        require(field.id == http::field_id_of(field.name), "a field's id is that of its name");
        const std::string_view trace = http::trace_id_of(field.value);
        require(trace.empty() || (trace.size() == 32 && lies_in(trace, field.value)),
                "a trace has 32 digits");
        require(trace.find_first_not_of("0123456789abcdef") == std::string_view::npos, "and they are hex");
        require(field.name.find_first_of(" \t:\r\n") == std::string_view::npos, "a name is a token");
        require(field.value.find_first_of(kLineBreakers) == std::string_view::npos, "a value is one line");
    }
}

void require_same_fields(const std::vector<Field>& ours, const std::vector<TextField>& theirs) {
    require(ours.size() == theirs.size(), "llhttp reads as many fields");
    for (size_t i = 0; i < ours.size(); ++i) {
        require(ours[i].name == theirs[i].first, "llhttp reads the same names");
        require(ours[i].value == theirs[i].second, "llhttp reads the same values");
    }
}

bool has_padded_framing(const std::vector<Field>& fields) {
    return std::any_of(fields.begin(), fields.end(), [](const Field& field) {
        const bool frames = field.id == FieldId::content_length || field.id == FieldId::transfer_encoding;
        return frames && *field.value.end() != '\r';
    });
}

bool same_fields(const std::vector<Field>& a, const std::vector<Field>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Field& x, const Field& y) {
        return x.name == y.name && x.value == y.value && x.id == y.id;
    });
}

std::vector<Field> end_to_end(const std::vector<Field>& fields) {
    std::vector<Field> kept;
    std::copy_if(fields.begin(), fields.end(), std::back_inserter(kept), [&](const Field& field) {
        return is_passed_through(field) && !named_in_connection(fields, field.name);
    });
    return kept;
}

FieldId folded_id(std::string_view name) { return http::field_id_of(folded(name)); }

size_t count_folded(const std::vector<Field>& fields, FieldId id) {
    return static_cast<size_t>(std::count_if(
        fields.begin(), fields.end(), [id](const Field& field) { return folded_id(field.name) == id; }));
}

std::vector<std::string_view> values_of(const std::vector<Field>& fields, FieldId id) {
    std::vector<std::string_view> values;
    for (const Field& field : fields) {
        if (field.id == id) values.push_back(field.value);
    }
    return values;
}

}  // namespace weir::fuzz
