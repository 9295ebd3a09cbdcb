// Paths and query parameters as routing and rules see them; what is forwarded stays as it came.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::http {

/// The path in the one form that rules compare (RFC 3986, 6.2.2 and 6.2.3): what may stand in a path as it is
/// (`pchar`) is decoded, all else escaped with digits in upper case, dot segments removed, doubled slashes
/// merged. That goes further than the RFC, which lets "," and "%2C" differ: to apps, which decode paths
/// before they look at them, they do not. nullopt where it cannot be told what the app would see: a malformed
/// escape, an encoded NUL or slash, a backslash, encoded or not, ".." that climbs above the root or comes
/// behind an empty segment (to some readers "/a//.." is "/", to others "/a/"), dots with parameters ("..;a",
/// which is ".." to servers of Java), or a path that does not begin with "/". The "*" of OPTIONS * stays as
/// it is.
std::optional<std::string> normalise_path(std::string_view path);

/// The same with its dot segments, as apps see it that look for none; nullopt where there is none of them.
std::optional<std::string> path_with_dots(std::string_view path);

/// One `name=value` of a query, where it stood. The pieces are still percent-encoded.
struct QueryParameter {
    std::string_view name;
    std::string_view value;
    bool has_equals = false;
};

/// Walks a query from left to right; an empty piece ("a&&b") is skipped.
class QueryWalk {
  public:
    explicit QueryWalk(std::string_view query) : rest_(query) {}
    std::optional<QueryParameter> next();

  private:
    std::string_view rest_;
};

/// Undoes percent-encoding; "+" is a space where `plus_is_space`. nullopt on a malformed escape.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

}  // namespace weir::http
