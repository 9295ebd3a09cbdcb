#include "base/siphash.h"

#include <array>
#include <string>

#include <doctest/doctest.h>

namespace weir {
namespace {

constexpr HashSeed kSeed{0x0706050403020100, 0x0f0e0d0c0b0a0908};

std::string counting_bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i);
    return bytes;
}

}  // namespace

TEST_CASE("SipHash-2-4 gives the values its authors published, for every length of the last word") {
    constexpr std::array<uint64_t, 16> kPublished{
        0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
        0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
        0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
        0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5};
    for (size_t size = 0; size < kPublished.size(); ++size) {
        CHECK(siphash<2, 4>(kSeed, counting_bytes(size)) == kPublished[size]);
    }
}

TEST_CASE("SipHash-1-3 gives the values of the reference implementation") {
    constexpr std::array<uint64_t, 20> kReference{
        0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb, 0xcf75576088d38328,
        0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e, 0x25a48eb36c063de4,
        0x79de85ee92ff097f, 0x70c118c1f94dc352, 0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34,
        0xd320d86d2a519956, 0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c, 0x8ffc389cb473e63e, 0xf21f9de58d297d1c};
    for (size_t size = 0; size < kReference.size(); ++size) {
        CHECK(siphash13(kSeed, counting_bytes(size)) == kReference[size]);
    }
    CHECK(siphash13(HashSeed{}, "") == 0xd1fba762150c532c);
}

TEST_CASE("every process has a seed of its own") {
    const HashSeed a = HashSeed::random();
    const HashSeed b = HashSeed::random();
    CHECK((a.k0 != b.k0 || a.k1 != b.k1));
}

}  // namespace weir
