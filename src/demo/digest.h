// Digests and base64 from OpenSSL's libcrypto, for checksums of uploads and the WebSocket handshake.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace weir::demo {

class Digest {
  public:
    enum class Kind { sha1, sha256 };

    explicit Digest(Kind kind);
    void add(std::string_view bytes);
    /// The digest's bytes; ends it. Empty where libcrypto refuses the kind.
    [[nodiscard]] std::string finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* state) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, Free> state_;
    bool is_good_;
};

[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string to_base64(std::string_view bytes);

}  // namespace weir::demo
