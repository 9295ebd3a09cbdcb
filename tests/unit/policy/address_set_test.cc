#include "policy/address_set.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string_view>

#include "config/identity.h"

namespace weir::policy {

namespace {

AddressSet set_of(std::initializer_list<std::string_view> blocks) {
    std::vector<config::Cidr> cidrs;
    for (std::string_view block : blocks) cidrs.push_back(*config::parse_cidr(block));
    return AddressSet(cidrs);
}

IpBytes ip(std::string_view text) { return config::parse_cidr(text)->address; }

}  // namespace

TEST_CASE("a block holds its first address, its last and all between, and not its neighbours") {
    const AddressSet set = set_of({"10.1.0.0/16", "192.0.2.8/30", "fd00::/8"});
    for (auto held :
         {"10.1.0.0", "10.1.77.3", "10.1.255.255", "192.0.2.8", "192.0.2.11", "fd00::", "fdff::1"})
        CHECK_MESSAGE(set.contains(ip(held)), held);
    for (auto other : {"10.0.255.255", "10.2.0.0", "192.0.2.7", "192.0.2.12", "fcff::1", "fe00::", "::"})
        CHECK_FALSE_MESSAGE(set.contains(ip(other)), other);
}

TEST_CASE("an address alone is a block of one, and IPv4 is the same inside IPv6") {
    const AddressSet set = set_of({"192.0.2.7", "2001:db8::7"});
    CHECK(set.contains(ip("192.0.2.7")));
    CHECK(set.contains(ip("::ffff:192.0.2.7")));
    CHECK(set.contains(ip("2001:db8::7")));
    CHECK_FALSE(set.contains(ip("192.0.2.6")));
    CHECK_FALSE(set.contains(ip("2001:db8::8")));
}

TEST_CASE("an empty set holds nothing, and the widest block everything") {
    CHECK(AddressSet().empty());
    CHECK_FALSE(AddressSet().contains(ip("::")));
    const AddressSet all = set_of({"::/0"});
    CHECK_FALSE(all.empty());
    for (auto held : {"::", "192.0.2.7", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
        CHECK_MESSAGE(all.contains(ip(held)), held);
}

TEST_CASE("a block inside another changes nothing, in whatever order they are given") {
    for (const AddressSet& set : {set_of({"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/30"}),
                                  set_of({"10.0.0.0/30", "10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8"})}) {
        CHECK(set.contains(ip("10.0.0.9")));
        CHECK(set.contains(ip("10.200.0.1")));
        CHECK_FALSE(set.contains(ip("11.0.0.1")));
    }
}

TEST_CASE("a set agrees with asking each of its blocks") {
    const unsigned seed = std::random_device()();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 300; ++round) {
        std::vector<config::Cidr> blocks(random() % 12);
        const auto few_bits = [&] {
            IpBytes address{};
            for (size_t byte : {0U, 1U, 15U}) address[byte] = static_cast<uint8_t>(random() % 4 * 64);
            return address;
        };
        const auto prefix_of = [](IpBytes address, unsigned bits) {
            for (unsigned bit = bits; bit < 128; ++bit)
                address[bit / 8] = static_cast<uint8_t>(address[bit / 8] & ~(0x80U >> (bit % 8)));
            return address;
        };
        for (config::Cidr& block : blocks) {
            block.prefix_bits = static_cast<uint8_t>(random() % 129);
            block.address = prefix_of(few_bits(), block.prefix_bits);
        }
        const AddressSet set(blocks);
        for (int ask = 0; ask < 50; ++ask) {
            const IpBytes address = few_bits();
            const bool expected = std::ranges::any_of(blocks, [&](const config::Cidr& block) {
                return prefix_of(address, block.prefix_bits) == block.address;
            });
            REQUIRE(set.contains(address) == expected);
        }
    }
}

}  // namespace weir::policy
