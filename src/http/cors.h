// Which pages of other origins may use the app, and the fields that tell their browsers (the Fetch standard's
// CORS protocol). weir never refuses a request for its origin: the browser does, by what the answer lacks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/message.h"

namespace weir::http {

struct CorsPolicy {
    std::vector<std::string> origins;  ///< "https://app.example", as browsers send them, or "*" alone
    std::vector<std::string> methods;
    std::vector<std::string> headers;  ///< that a request may carry; "*" alone: any
    std::vector<std::string> expose;   ///< of the answer, to the script
    bool credentials = false;          ///< never with the origin "*"
    Duration max_age{};
};

/// What a request is to the policy. Views into the request's head.
struct CorsRequest {
    enum class Kind : uint8_t {
        off,        ///< there is no policy: nothing is added and nothing dropped
        ordinary,   ///< goes its way; its answer gets the policy's fields, whether or not it named an origin
        preflight,  ///< is answered at once, with 204
    };
    Kind kind = Kind::off;
    std::string_view origin;   ///< "" where there is none, or more than one
    std::string_view headers;  ///< Access-Control-Request-Headers of a preflight
};

/// Immutable. Origins are compared byte for byte, as browsers compare them. No allocation but what `fields`
/// needs to grow.
///
/// The answer's fields depend on the origin alone. A preflight that asks for a method or a header that is not
/// allowed is told what is, and the browser says which one is missing; one of an origin that is not allowed
/// is told nothing.
class Cors {
  public:
    /// Off where no origins are given.
    explicit Cors(CorsPolicy policy);

    [[nodiscard]] bool is_off() const { return origins_.empty() && !any_origin_; }
    [[nodiscard]] CorsRequest read(const RequestHead&) const;

    /// The fields of a preflight's answer, to an empty vector or behind what is there. They are views of this
    /// object and of the request's head.
    void add_preflight_fields(const CorsRequest&, std::vector<Field>& fields) const;

    /// Of any other answer, weir's own among them: drops what the app says of CORS, so that nothing is said
    /// twice, and adds what the policy says. Vary gains Origin, in a line of its own, where the answer
    /// depends on it and no line says so yet. The new fields are views of this object.
    void replace_fields(const CorsRequest&, std::vector<Field>& fields) const;

  private:
    /// What Access-Control-Allow-Origin says; "" where it is left out.
    [[nodiscard]] std::string_view allowed_origin(std::string_view origin) const;

    std::vector<std::string> origins_;  ///< sorted
    bool any_origin_ = false;
    bool any_header_ = false;
    bool credentials_ = false;
    std::string methods_;  ///< these are values of fields; "": the field is left out
    std::string headers_;
    std::string expose_;
    std::string max_age_;
};

}  // namespace weir::http
