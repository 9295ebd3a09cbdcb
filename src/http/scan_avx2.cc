// No function of the standard library may be called here: the linker might keep this file's AVX2 copy of an
// inline function for the whole program, which would then crash on processors without it.
#include "http/scan_avx2.h"

#include <immintrin.h>

namespace weir::http {
namespace {

constexpr size_t kStep = 32;

unsigned equal_mask(const char* p, char wanted) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(wanted))));
}

size_t last_bit(unsigned mask) { return 31U - static_cast<size_t>(__builtin_clz(mask)); }

}  // namespace

// Bit i of a mask speaks of byte at + i. Three overlapping loads line up a LF with the two bytes before it,
// so a whole step is judged at once: a LF without a CR before it is bare, CR LF behind another LF is the
// empty line.
ScanResult scan_head_avx2(const char* bytes, size_t size, HeadScan& scan) {
    size_t at = scan.looked_at;
    while (at < size) {
        // The last step is moved back to end where the bytes end; to search some bytes twice changes nothing.
        if (at + kStep > size) at = size - kStep;
        const unsigned lf = equal_mask(bytes + at, '\n');
        const unsigned after_cr = equal_mask(bytes + at - 1, '\r');
        const unsigned after_lf = equal_mask(bytes + at - 2, '\n');
        const unsigned decisive = lf & (~after_cr | after_lf);
        if (decisive != 0) {
            const unsigned first = decisive & (0U - decisive);
            const unsigned earlier = lf & (first - 1);
            if (earlier != 0) scan.line_start = at + last_bit(earlier) + 1;
            const size_t found = at + last_bit(first);
            const bool bare = (first & after_cr) == 0;
            scan.looked_at = bare ? found : found + 1;
            return bare ? ScanResult::bare_lf : ScanResult::complete;
        }
        if (lf != 0) scan.line_start = at + last_bit(lf) + 1;
        at += kStep;
    }
    scan.looked_at = size;
    return ScanResult::incomplete;
}

}  // namespace weir::http
