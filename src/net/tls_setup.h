// How the OpenSSL contexts of both roles are made. For the files of net/ that make them.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <new>

struct ssl_method_st;  // OpenSSL's SSL_METHOD

namespace weir::net {

struct FreeContext {
    void operator()(SSL_CTX* context) const;
};
using OwnedContext = std::unique_ptr<SSL_CTX, FreeContext>;

/// OpenSSL's set-up fails for want of memory alone once its arguments are sound.
template <class T>
T* needed(T* made) {
    if (made == nullptr) throw std::bad_alloc();
    return made;
}
inline void needed(long result) {
    if (result != 1) throw std::bad_alloc();
}

/// TLS 1.2 and 1.3, without renegotiation, compression and early data: what holds in both roles.
[[nodiscard]] OwnedContext make_context(const ssl_method_st* method);

}  // namespace weir::net
