// What the kernel says of this process.
#pragma once

#include <cstdint>

namespace weir::app {

/// Zero where the kernel does not say.
struct ProcessFigures {
    double cpu_seconds = 0;  ///< user and system, all threads
    uint64_t open_fds = 0;
    uint64_t max_fds = 0;  ///< the soft limit
    uint64_t virtual_bytes = 0;
    uint64_t resident_bytes = 0;
    uint64_t threads = 0;
};

[[nodiscard]] ProcessFigures read_process_figures();

}  // namespace weir::app
