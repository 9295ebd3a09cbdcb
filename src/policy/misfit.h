// Why a request does not fit its route.
#pragma once

#include <cstdint>
#include <string>

namespace weir::policy {

struct Misfit {
    enum class Kind : uint8_t {
        method,     ///< not one that the route takes: the answer says in Allow which are
        body_type,  ///< the body's media type is not one that the route takes
        parameter,  ///< missing, or not what its rule asks for
        unclear,    ///< readers differ in what the target means, so that a rule could be walked around
    };
    Kind kind = Kind::unclear;
    std::string detail;  ///< one clause for the client; names the parameter and its bound

    bool operator==(const Misfit&) const = default;
};

}  // namespace weir::policy
