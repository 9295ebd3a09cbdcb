#include "app/process_figures.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace weir::app {

namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

uint64_t entries_of(const char* directory) {
    std::error_code error;
    const std::filesystem::directory_iterator entries(directory, error);
    return error ? 0 : static_cast<uint64_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

ProcessFigures read_process_figures() {
    ProcessFigures figures;
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        figures.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    rlimit descriptors{};
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) figures.max_fds = descriptors.rlim_cur;
    const uint64_t open = entries_of("/proc/self/fd");
    figures.open_fds = open == 0 ? 0 : open - 1;  // one of them is for looking
    figures.threads = entries_of("/proc/self/task");
    std::ifstream memory("/proc/self/statm");
    uint64_t pages = 0;
    uint64_t resident_pages = 0;
    if (memory >> pages >> resident_pages) {
        const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
        figures.virtual_bytes = pages * page_bytes;
        figures.resident_bytes = resident_pages * page_bytes;
    }
    return figures;
}

}  // namespace weir::app
