#include "app/version.h"

#include <fmt/format.h>

#include "http/head_scan.h"
#include "net/loop.h"
#include "net/tls_context.h"

namespace weir::app {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr const char* kBuild = "address and undefined sanitizers";
#elif defined(NDEBUG)
constexpr const char* kBuild = "release";
#else
constexpr const char* kBuild = "debug";
#endif

}  // namespace

std::string version_text() {
    return fmt::format("weir {}\nbuild: {}, {}, head search with {}\nlibevent {}\nOpenSSL {}\nfmt {}.{}.{}\n",
                       kVersion, kBuild, __VERSION__, http::scan_uses_avx2() ? "AVX2" : "plain code",
                       net::library_version(), net::tls_library_version(), FMT_VERSION / 10000,
                       FMT_VERSION / 100 % 100, FMT_VERSION % 100);
}

}  // namespace weir::app
