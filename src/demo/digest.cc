#include "demo/digest.h"

#include <openssl/evp.h>

namespace weir::demo {

void Digest::Free::operator()(evp_md_ctx_st* state) const noexcept { EVP_MD_CTX_free(state); }

Digest::Digest(Kind kind)
    : state_(EVP_MD_CTX_new()),
      is_good_(state_ != nullptr &&
               EVP_DigestInit_ex(state_.get(), kind == Kind::sha1 ? EVP_sha1() : EVP_sha256(), nullptr) ==
                   1) {}

void Digest::add(std::string_view bytes) {
    is_good_ = is_good_ && EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) == 1;
}

std::string Digest::finish() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!is_good_ || EVP_DigestFinal_ex(state_.get(), bytes, &size) != 1) return {};
    is_good_ = false;
    return {bytes, bytes + size};
}

std::string to_hex(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 0xF];
    }
    return text;
}

std::string to_base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // with the NUL that libcrypto appends
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<size_t>(length));
    return text;
}

}  // namespace weir::demo
