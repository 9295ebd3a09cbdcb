// From a file, the environment and flags to Settings, or to every mistake that was made, each with its place.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace weir::config {

enum class Severity : uint8_t { error, warning };

/// One mistake or risk. `render` shows it as compilers do: file:line:column, the line quoted with a caret,
/// the way out.
struct Diagnostic {
    Severity severity = Severity::error;
    std::string source;  ///< file name, "--set", "--listen", or "environment"
    size_t line = 0;     ///< from 1; 0 where there is no line
    size_t column = 0;   ///< from 1, in characters
    std::string quoted;  ///< the whole line of the file, or the flag
    std::string message;
    std::string hint;  ///< allowed values or range, the nearest known name; may be empty
    size_t cut = 0;    ///< characters of a very long line that are missing in front of `quoted`
};
/// Several lines, the last one ended too; control and invisible characters escaped, long lines shortened.
std::string render(const Diagnostic&);

/// Where a value came from, for `weir check`.
struct Origin {
    std::string path;   ///< "timeout.total"
    std::string value;  ///< in the language of the file: "30s"
    std::string from;   ///< "default", "weir.yaml:12", "WEIR_TIMEOUT_TOTAL", "--set"
};

struct Assignment {
    std::string path;   ///< "limits.body"
    std::string value;  ///< a YAML scalar or flow collection
    std::string flag;   ///< as the operator wrote it, for messages
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

class Findings;

/// Looks where loading cannot, at the files that the settings name: says what it finds, at its place.
using Inspect = std::function<void(Findings&)>;

struct Sources {
    std::string file_name;               ///< empty: no file
    std::string file_text;               ///< already read; see kMaxConfigBytes
    std::vector<Assignment> flags;       ///< in order; the last one to a path wins
    Environment environment;             ///< for ${NAME} and WEIR_... overrides
    std::vector<std::string> overrides;  ///< the names of all set variables that begin with WEIR_
    Inspect inspect;                     ///< asked where nothing else is wrong; may be empty
};

inline constexpr size_t kMaxConfigBytes = 1 << 20;

struct Loaded {
    Settings settings;
    std::vector<Origin> origins;  ///< every key, in the order of the field table
    std::vector<Diagnostic> warnings;
};

/// Pure: reads no file but through `inspect`, no variable but through `environment`. The error lists all
/// mistakes, in the order of the file.
Result<Loaded, std::vector<Diagnostic>> load(const Sources&);

}  // namespace weir::config
