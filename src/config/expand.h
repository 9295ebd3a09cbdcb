// `${NAME}`, `${NAME:-default}` and `$$` in the values of the file. Keys are left alone, and so is what an
// expansion yields: a variable can change a value, never the structure around it. Inside `{}` and `[]` YAML
// wants `"${NAME}"`.
#pragma once

#include <vector>

#include "config/document.h"
#include "config/load.h"

namespace weir::config {

/// Expands every scalar below `node` in place. A default is taken where the variable is unset or empty, as in
/// a shell. A scalar that cannot be expanded becomes `broken`. A `$` before anything but `{` and `$` is
/// itself.
void expand(Node& node, const Environment& environment, std::vector<Mistake>& mistakes);

/// The inverse for plain text: what must be written so that it expands to `text`.
[[nodiscard]] std::string escape_dollars(std::string_view text);

}  // namespace weir::config
