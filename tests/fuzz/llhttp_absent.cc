// Takes llhttp_oracle.cc's place where the system has no llhttp: every other property is still checked.
#include "llhttp_oracle.h"

namespace weir::fuzz {

std::optional<Heard> hear(MessageKind, std::string_view) { return std::nullopt; }

bool llhttp_knows_method(std::string_view) { return false; }

}  // namespace weir::fuzz
