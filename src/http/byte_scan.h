// Where a run of allowed bytes ends, 16 bytes at a time. A test compares each with reading byte by byte.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "http/char_class.h"

namespace weir::http {

inline const char* find_end_scalar(const char* p, const char* end, CharClass which) {
    while (p != end && is(*p, which)) ++p;
    return p;
}

#ifdef __SSE2__
namespace detail {

inline __m128i load_16(const char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline unsigned mask_of(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }

template <class... Chars>
__m128i any_of(__m128i bytes, Chars... wanted) {
    return (_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted)) | ...);
}

inline __m128i is_within(__m128i bytes, char first, char last) {
    const __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(static_cast<char>(last - first))), above);
}

}  // namespace detail
#endif

/// The first byte from `p` on that is no kToken, or `end`.
inline const char* find_token_end(const char* p, const char* end) {
#ifdef __SSE2__
    using detail::any_of;
    using detail::is_within;
    const __m128i space = _mm_set1_epi8(' ');
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = detail::load_16(p);
        // The comparison is of signed bytes: those from 0x80 on count as less than the space.
        const __m128i past_space = _mm_cmpgt_epi8(bytes, space);
        const __m128i delimiters = any_of(bytes, '"', ',', '/', '{', '}', '\x7f') |
                                   is_within(bytes, '(', ')') | is_within(bytes, ':', '@') |
                                   is_within(bytes, '[', ']');
        const unsigned mask = detail::mask_of(_mm_andnot_si128(delimiters, past_space)) ^ 0xffffU;
        if (mask != 0) return p + __builtin_ctz(mask);
    }
#endif
    return find_end_scalar(p, end, kToken);
}

/// The first byte from `p` on that is no kFieldValue, or `end`.
inline const char* find_value_end(const char* p, const char* end) {
#ifdef __SSE2__
    const __m128i last_control = _mm_set1_epi8(0x1f);
    const __m128i tab = _mm_set1_epi8('\t');
    const __m128i del = _mm_set1_epi8(0x7f);
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = detail::load_16(p);
        const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
        const __m128i stops =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), control), _mm_cmpeq_epi8(bytes, del));
        if (const unsigned mask = detail::mask_of(stops); mask != 0) return p + __builtin_ctz(mask);
    }
#endif
    return find_end_scalar(p, end, kFieldValue);
}

/// The first byte from `p` on that is no kTarget, or `end`.
inline const char* find_target_end(const char* p, const char* end) {
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' ');
    const __m128i del = _mm_set1_epi8(0x7f);
    const __m128i hash = _mm_set1_epi8('#');
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = detail::load_16(p);
        // The comparison is of signed bytes: those from 0x80 on count as less than the space.
        const __m128i past_space = _mm_cmpgt_epi8(bytes, space);
        const __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, del), _mm_cmpeq_epi8(bytes, hash));
        const unsigned mask = detail::mask_of(_mm_andnot_si128(odd, past_space)) ^ 0xffffU;
        if (mask != 0) return p + __builtin_ctz(mask);
    }
#endif
    return find_end_scalar(p, end, kTarget);
}

/// Past whole blocks of 16 bytes that are printable ASCII and mean nothing to JSON or markup. Where the next
/// block holds another byte, or there is none, is for the caller to look at byte by byte.
inline const char* skip_unremarkable(const char* p, [[maybe_unused]] const char* end) {
#ifdef __SSE2__
    const __m128i last_control = _mm_set1_epi8(0x1f);
    for (; end - p >= 16; p += 16) {
        const __m128i bytes = detail::load_16(p);
        // The comparison is of signed bytes: those from 0x80 on count as control characters.
        const __m128i printable = _mm_cmpgt_epi8(bytes, last_control);
        const __m128i special = detail::any_of(bytes, '"', '\\', '&', '<', '>', '\'', '\x7f');
        if (detail::mask_of(_mm_andnot_si128(special, printable)) != 0xffffU) break;
    }
#endif
    return p;
}

}  // namespace weir::http
