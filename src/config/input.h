// Where configuration text comes from: the file, a variable, a flag. An input knows how to name a place in
// itself.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"
#include "config/load.h"
#include "config/units.h"

namespace weir::config {

class Input {
  public:
    [[nodiscard]] static Input file(std::string name, std::string_view text);
    [[nodiscard]] static Input variable(std::string_view name, std::string value);
    [[nodiscard]] static Input flag(const Assignment& assignment);

    /// What is to be parsed.
    [[nodiscard]] const std::string& text() const { return text_; }

    /// The value of a variable or flag: a flow collection or a quoted scalar is parsed, anything else is a
    /// scalar as it stands, so that `[::]:8080` or a value with `#` needs no second level of quotes.
    [[nodiscard]] Document value() const;

    /// "weir.yaml:12", "WEIR_TIMEOUT_TOTAL", "--set".
    [[nodiscard]] std::string origin(const Place& place) const;

    /// Where `part` of a value stands that begins at `from`; there, where it does not stand in the text as it
    /// is.
    [[nodiscard]] Place find(std::string_view part, const Place& from) const;

    [[nodiscard]] Diagnostic diagnose(Severity severity, const Place& place, Wrong wrong) const;

    /// The same, of the input as a whole.
    [[nodiscard]] Diagnostic diagnose(Severity severity, Wrong wrong) const;

  private:
    [[nodiscard]] Diagnostic at_line(Diagnostic diagnostic, const Place& place) const;

    std::string source_;  ///< as Diagnostic::source
    std::string text_;
    std::string whole_;  ///< a variable or flag as the operator wrote it; empty: a file
    std::string from_;   ///< of a variable or flag
};

}  // namespace weir::config
