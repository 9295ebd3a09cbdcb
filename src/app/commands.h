// What the commands of the command line do. Each returns the process's exit code.
#pragma once

#include "cli/command_line.h"

namespace weir::app {

inline constexpr int kBadConfig = 1;
inline constexpr int kBadUsage = 2;
inline constexpr int kCouldNotStart = 3;
inline constexpr int kWouldBeRefused = 4;
inline constexpr int kCouldNotWrite = 5;  ///< to stdout

/// Everything: reads the command line and does what it asks for.
int run_command_line(int argc, const char* const* argv);

int run(const cli::CommandLine&);
int check(const cli::CommandLine&);
int demo(const cli::CommandLine&);
int explain(const cli::CommandLine&);
int schema(const cli::CommandLine&);
int version();

}  // namespace weir::app
