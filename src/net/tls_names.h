// Which certificate a client means by the name that it asks for.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::net {

/// Names of certificates, by the rules of RFC 9525, 6.3: compared without case, and "*." stands for exactly
/// one label. Whoever is first has a name; a whole name goes before a wildcard.
class TlsNames {
  public:
    /// "app.example" or "*.app.example".
    void add(std::string_view name, size_t certificate);
    /// `name`: of a host, as a client wrote it; a dot at its end says nothing.
    [[nodiscard]] std::optional<size_t> find(std::string_view name) const;

  private:
    using Map = std::map<std::string, size_t, std::less<>>;

    Map whole_;
    Map below_;  ///< wildcards, without "*"
};

}  // namespace weir::net
