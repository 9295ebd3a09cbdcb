// Who the client is behind proxies: whatever a client writes into the two fields itself, the address that the
// trusted proxy appended is what counts.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/forwarded.h"
#include "http/ip_text.h"
#include "input.h"

namespace weir::fuzz {
namespace {

using http::Field;
using http::FieldId;
using http::forwarded_client;
using http::IpBytes;

constexpr IpBytes mapped(std::array<uint8_t, 4> v4) {
    return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4[0], v4[1], v4[2], v4[3]};
}

constexpr IpBytes kProxy = mapped({10, 0, 0, 1});
constexpr IpBytes kStranger = mapped({192, 0, 2, 9});
constexpr IpBytes kClient = mapped({198, 51, 100, 7});
constexpr std::string_view kClientText = "198.51.100.7";

/// 10.0.0.0/8 and fd00::/8.
bool trusts(const IpBytes& address) {
    return (std::equal(address.begin(), address.begin() + 12, kProxy.begin()) && address[12] == 10) ||
           address[0] == 0xfd;
}

class TrustedNetworks {
  public:
    bool operator()(const IpBytes& address) const { return trusts(address); }
};

IpBytes client_of(const IpBytes& peer, const std::vector<Field>& fields) {
    const TrustedNetworks networks;
    return forwarded_client(peer, fields, networks).address;
}

Field line(FieldId id, std::string_view value) {
    return {.name = id == FieldId::forwarded ? "Forwarded" : "X-Forwarded-For", .value = value, .id = id};
}

/// Each line of the input is a line of one of the fields, by its first byte.
std::vector<Field> fields_of(std::string_view input) {
    std::vector<Field> fields;
    while (!input.empty() && fields.size() < 100) {
        const std::string_view text = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(text.size() + 1, input.size()));
        const bool is_forwarded = text.starts_with('F');
        fields.push_back(line(is_forwarded ? FieldId::forwarded : FieldId::x_forwarded_for,
                              text.empty() ? text : text.substr(1)));
    }
    return fields;
}

bool has(const std::vector<Field>& fields, FieldId id) {
    return std::any_of(fields.begin(), fields.end(), [id](const Field& field) { return field.id == id; });
}

/// What a proxy appends to one of the fields beats all that stood in it; where the client wrote the other
/// field as well, neither may be believed.
void require_appended_wins(std::vector<Field> fields, FieldId own, FieldId other, std::string_view appended) {
    const bool may_be_disputed = has(fields, other);
    const auto is_right = [&](const IpBytes& found) {
        return found == kClient || (may_be_disputed && found == kProxy);
    };
    std::vector<Field> apart = fields;
    apart.push_back(line(own, appended));
    require(is_right(client_of(kProxy, apart)), "a line that the proxy added beats all lines before it");
    const auto last =
        std::find_if(fields.rbegin(), fields.rend(), [own](const Field& field) { return field.id == own; });
    if (last == fields.rend()) return;
    const std::string joined = std::string(last->value) + ", " + std::string(appended);
    last->value = joined;
    require(is_right(client_of(kProxy, fields)), "what the proxy added to a line beats what stood in it");
}

/// As inet_pton has it, which knows no views.
std::optional<IpBytes> plain_ipv4(const std::string& text) {
    std::array<uint8_t, 4> bytes;
    if (inet_pton(AF_INET, text.c_str(), bytes.data()) != 1) return std::nullopt;
    return mapped(bytes);
}

std::optional<IpBytes> plain_ipv6(const std::string& text) {
    IpBytes bytes;
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
    return bytes;
}

void require_addresses_as_the_system_reads_them(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return;
    const ExactCopy copy(text);
    require(http::ipv4_of(copy.view()) == plain_ipv4(std::string(text)), "IPv4 as inet_pton reads it");
    require(http::ipv6_of(copy.view()) == plain_ipv6(std::string(text)), "IPv6 as inet_pton reads it");
}

void run(std::string_view input) {
    require_addresses_as_the_system_reads_them(input.substr(0, input.find('\n')));
    const ExactCopy copy(input);
    const std::vector<Field> fields = fields_of(copy.view());
    require(client_of(kStranger, fields) == kStranger, "who is not trusted speaks for itself alone");
    const IpBytes found = client_of(kProxy, fields);
    require(found == client_of(kProxy, fields), "the same fields name the same client");

    require_appended_wins(fields, FieldId::x_forwarded_for, FieldId::forwarded, kClientText);
    require_appended_wins(fields, FieldId::forwarded, FieldId::x_forwarded_for,
                          "for=" + std::string(kClientText) + ";proto=https");
    require_appended_wins(fields, FieldId::forwarded, FieldId::x_forwarded_for,
                          "by=\"[fd00::1]\";for=\"" + std::string(kClientText) + ":4711\"");
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
