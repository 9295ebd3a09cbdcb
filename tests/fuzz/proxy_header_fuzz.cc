// PROXY headers: any split gives the same verdict, which never changes when more comes, and what was read is
// what a plain second reader finds.
#include <cstring>
#include <string>
#include <string_view>

#include "head_checks.h"
#include "http/proxy_header.h"
#include "input.h"

namespace weir::fuzz {
namespace {

using http::ProxyHeader;
using State = http::ProxyHeader::State;

ProxyHeader read(std::string_view bytes) {
    // In memory of exactly that size, where the sanitizer sees a byte too many.
    const ExactCopy copy(bytes);
    return http::read_proxy_header(copy.view());
}

/// Of a header that was accepted: told once more, by another way.
void require_sound(const ProxyHeader& header, std::string_view bytes) {
    require(header.length <= bytes.size(), "a whole header is there");
    require(header.length <= http::kMaxProxyHeader, "no header is longer than may be");
    const std::string_view text = bytes.substr(0, header.length);
    if (text.starts_with("PROXY ")) {
        require(text.size() <= 107 && text.ends_with("\r\n"), "version 1 is a line");
        require(text.find('\r') == text.size() - 2, "and no more than one");
        const bool is_unknown = text.starts_with("PROXY UNKNOWN");
        require(header.source.has_value() != is_unknown,
                "version 1 names the client, or says that it cannot");
        return;
    }
    require(text.size() >= 16, "version 2 has a head");
    const size_t said = size_t{static_cast<uint8_t>(text[14])} << 8U | static_cast<uint8_t>(text[15]);
    require(text.size() == 16 + said, "version 2 is as long as it says");
    if (!header.source) return;
    require(text[12] == 0x21 && (text[13] == 0x11 || text[13] == 0x21), "a client is named of TCP alone");
    const bool is_v4 = text[13] == 0x11;
    require(std::memcmp(header.source->data() + (is_v4 ? 12 : 0), text.data() + 16, is_v4 ? 4 : 16) == 0,
            "the client is the source");
}

void run(std::string_view input) {
    const ProxyHeader whole = read(input);
    if (whole.state == State::complete) require_sound(whole, input);
    if (whole.state == State::malformed)
        require(!std::string_view(whole.fault).empty(), "a fault says what is wrong");
    Choices choices(input);
    State former = State::incomplete;
    for (size_t length = 0; length < input.size(); length += 1 + choices.below(3)) {
        const ProxyHeader part = read(input.substr(0, length));
        require(former == State::incomplete || part.state == former, "a verdict stays");
        former = part.state;
        if (part.state == State::incomplete) continue;
        require(part.state == whole.state && part.length == whole.length && part.source == whole.source,
                "more bytes change nothing");
    }
    require(former == State::incomplete || former == whole.state, "the last byte changes no verdict");
    if (whole.state == State::complete)
        for (size_t length = 0; length < whole.length; length += 1 + choices.below(5))
            require(read(input.substr(0, length)).state == State::incomplete, "a part is incomplete");
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
