#include "http/head_scan.h"

#include "http/scan_avx2.h"

namespace weir::http {

ScanResult scan_head_scalar(std::string_view bytes, HeadScan& scan) {
    for (; scan.looked_at < bytes.size(); ++scan.looked_at) {
        const size_t at = scan.looked_at;
        if (bytes[at] != '\n') continue;
        if (at == 0 || bytes[at - 1] != '\r') return ScanResult::bare_lf;
        // An empty line before the request line is not the end of anything (RFC 9112, 2.2).
        if (at - scan.line_start == 1 && scan.line_start != 0) {
            ++scan.looked_at;
            return ScanResult::complete;
        }
        scan.line_start = at + 1;
    }
    return ScanResult::incomplete;
}

#ifdef __x86_64__

bool scan_uses_avx2() {
    static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
    return has_avx2;
}

ScanResult scan_head(std::string_view bytes, HeadScan& scan) {
    // Pieces that are much shorter than a step are read faster byte by byte.
    constexpr size_t kShort = 16;
    const bool is_short = bytes.size() < kMinAvx2Bytes || bytes.size() - scan.looked_at < kShort;
    if (is_short || !scan_uses_avx2()) return scan_head_scalar(bytes, scan);
    if (scan.looked_at < 2) {
        const ScanResult start = scan_head_scalar(bytes.substr(0, 2), scan);
        if (start != ScanResult::incomplete) return start;
    }
    return scan_head_avx2(bytes.data(), bytes.size(), scan);
}

#else

bool scan_uses_avx2() { return false; }
ScanResult scan_head(std::string_view bytes, HeadScan& scan) { return scan_head_scalar(bytes, scan); }

#endif

}  // namespace weir::http
