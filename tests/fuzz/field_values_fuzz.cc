// Values that weir reads for its own purposes: cookies it counts by, origins, traces, hosts, and the secrets
// that no log may show.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "http/authority.h"
#include "http/cors.h"
#include "http/escape.h"
#include "http/trace_context.h"
#include "input.h"
#include "policy/key.h"
#include "proxy/secret_names.h"

namespace weir::fuzz {
namespace {

using policy::KeyPart;

constexpr HashSeed kSeed{0x1234, 0x5678};
constexpr policy::IpBytes kAddress{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

uint64_t key_by_cookie(std::string_view cookies) {
    const policy::KeyMaker make({KeyPart{KeyPart::Kind::cookie, "sid"}}, 64, kSeed);
    const auto line = [](const void* head, std::string_view, size_t nth) -> std::string_view {
        return nth == 0 ? *static_cast<const std::string_view*>(head) : std::string_view();
    };
    return make({.ip = kAddress, .route = 0, .head = &cookies, .field_line = line});
}

/// Who writes a second cookie of the name does not become somebody else at will.
void check_cookies(std::string_view text) {
    const std::string own = "sid=fixed";
    const std::string with_more = own + ";" + std::string(text);
    const ExactCopy copy(text);
    const ExactCopy more(with_more);
    key_by_cookie(copy.view());
    const uint64_t nobody = key_by_cookie("");
    const uint64_t found = key_by_cookie(more.view());
    require(found == key_by_cookie(own) || found == nobody,
            "beside a cookie, more text names the same client or none");
}

bool is_lower_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

void check_trace(std::string_view text) {
    const std::string_view trace = http::trace_id_of(text);
    require(lies_in(trace, text), "a trace's id lies in its field");
    require(trace.empty() || (trace.size() == 32 && is_lower_hex(trace)), "a trace's id is 32 hex digits");
    require(trace.find_first_not_of('0') != std::string_view::npos || trace.empty(),
            "a trace's id is not all zeros");
}

/// What is put into a Location has to be safe there.
void check_host(std::string_view text) {
    const std::string_view host = http::plain_host_of(text);
    require(lies_in(host, text), "a host lies in its authority");
    require(host.find_first_of("@/?#\\ \t\r\n\"<>%") == std::string_view::npos, "a host cannot end early");
    require(host.empty() || http::is_valid_authority(host), "a plain host is an authority by itself");
}

void check_secrets(std::string_view address) {
    std::string shown;
    proxy::strike_out_secrets(address, [&](std::string_view piece) { shown.append(piece); });
    // Where a slash was struck out, what stands before an @ may look like a user, and was none.
    const bool may_have_user = address.find('@') != std::string_view::npos;
    const auto left = may_have_user ? std::nullopt : proxy::find_secret(shown);
    require(!left || shown.substr(left->begin, left->end - left->begin) == "***",
            "nothing secret is left of what was struck out");
    if (address.find("hunter2") != std::string_view::npos) return;
    const std::string told =
        std::string(address.substr(0, address.find_first_of("?;&#"))) + "?a=1&password=hunter2&b=2";
    std::string safe;
    proxy::strike_out_secrets(told, [&](std::string_view piece) { safe.append(piece); });
    require(safe.find("hunter2") == std::string::npos, "a password is struck out");
}

void check_escapes(std::string_view text) {
    for (const auto how : {http::Escaping::json, http::Escaping::markup, http::Escaping::plain}) {
        std::string out(http::escaped_bound(text), '\0');
        http::Out writer(out.data());
        http::write_escaped(how, text, writer);
        out.resize(writer.size());
        const bool has_control = std::any_of(out.begin(), out.end(), [&](char c) {
            const auto byte = static_cast<unsigned char>(c);
            const bool is_space = how == http::Escaping::markup && (c == '\n' || c == '\r' || c == '\t');
            return (byte < 0x20 && !is_space) || byte == 0x7f;
        });
        require(!has_control, "no control byte comes out");
        if (how == http::Escaping::markup)
            require(out.find_first_of("<>\"'") == std::string::npos, "no markup comes out");
    }
}

void check_origin(std::string_view text) {
    static const http::Cors cors({.origins = {"https://app.example"},
                                  .methods = {"GET"},
                                  .headers = {"X-Key"},
                                  .expose = {},
                                  .credentials = true,
                                  .max_age = std::chrono::minutes(1)});
    http::RequestHead head;
    head.method = http::Method::options;
    head.method_name = "OPTIONS";
    head.fields = {{.name = "Origin", .value = text},
                   {.name = "Access-Control-Request-Method", .value = "GET"}};
    http::ResponseHead answer;
    cors.replace_fields(cors.read(head), answer.fields);
    const bool is_allowed = std::any_of(answer.fields.begin(), answer.fields.end(), [](const auto& field) {
        return field.name == "Access-Control-Allow-Origin";
    });
    require(is_allowed == (text == "https://app.example"), "the origin that is listed, and no other");
}

void run(std::string_view input) {
    const ExactCopy copy(input);
    check_cookies(copy.view());
    check_trace(copy.view());
    check_host(copy.view());
    check_secrets(copy.view());
    check_escapes(copy.view());
    check_origin(copy.view());
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
