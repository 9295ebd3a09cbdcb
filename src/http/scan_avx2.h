// The part of scan_head that is compiled for AVX2. Only head_scan.cc calls it, and only where the processor
// has AVX2.
#pragma once

#include <cstddef>

#include "http/head_scan.h"

namespace weir::http {

/// As scan_head, for at least kMinAvx2Bytes of which the first two are searched already (`scan.looked_at` >=
/// 2).
inline constexpr size_t kMinAvx2Bytes = 34;
ScanResult scan_head_avx2(const char* bytes, size_t size, HeadScan& scan);

}  // namespace weir::http
