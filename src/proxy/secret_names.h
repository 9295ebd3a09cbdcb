// Finds the secrets in an address, above all in query parameters, by their names, so that no log shows them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::proxy {

/// A telling parameter's value, or a user and password: the bytes [begin, end) of the address. May be empty.
struct Secret {
    size_t begin = 0;
    size_t end = 0;
};

/// The first one of the address. Telling, in any letter case and with - for _, are names that contain one of:
/// access_key accesskey api_key apikey auth credential jwt passphrase passwd password secret session
/// signature token; and names that are one of: code key otp pass pin pwd sid sig. `code` must match whole, so
/// that an OAuth code is hidden and country_code is not.
///
/// Some apps end a parameter at ';' too, and a value may be an address with a query of its own, as it is or
/// percent-encoded: a name begins after any of & ; ? # alone and ends at =, each of them as it is or as %XX,
/// and a telling one's value ends at a plain & alone, so that no part of a secret shows. Names are compared
/// as the app decodes them.
///
/// A secret too is what stands before the host: https://USER:PASSWORD@host/.
[[nodiscard]] std::optional<Secret> find_secret(std::string_view address);

/// Hands out the address piece by piece, with `***` in place of each secret.
template <class Take>
void strike_out_secrets(std::string_view address, Take take) {
    while (const auto secret = find_secret(address)) {
        take(address.substr(0, secret->begin));
        take(std::string_view("***"));
        address.remove_prefix(secret->end);
    }
    take(address);
}

}  // namespace weir::proxy
