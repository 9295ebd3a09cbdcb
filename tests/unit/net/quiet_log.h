// Keeps the warnings that a test provokes out of its output.
#pragma once

#include "base/log.h"

namespace weir {

class QuietLog {
  public:
    QuietLog() { log::set_level(log::Level::error); }
    ~QuietLog() { log::set_level(log::Level::info); }
    QuietLog(const QuietLog&) = delete;
    QuietLog& operator=(const QuietLog&) = delete;
};

}  // namespace weir
