#include "app/process_figures.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <ctime>
#include <future>
#include <thread>

#include "net/socket.h"

namespace weir::app {

namespace {

/// Memory of the kernel's own giving, all of it touched.
class Touched {
  public:
    explicit Touched(size_t bytes) : bytes_(bytes) {
        at_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        REQUIRE(at_ != MAP_FAILED);
    }
    ~Touched() { munmap(at_, bytes_); }
    Touched(const Touched&) = delete;
    Touched& operator=(const Touched&) = delete;

  private:
    size_t bytes_;
    void* at_;
};

}  // namespace

TEST_CASE("what is open is counted, without the descriptor that counts") {
    const uint64_t before = read_process_figures().open_fds;
    CHECK(before >= 3);
    CHECK(read_process_figures().open_fds == before);
    {
        const net::Fd one(socket(AF_UNIX, SOCK_STREAM, 0));
        const net::Fd two(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK(read_process_figures().open_fds == before + 2);
    }
    CHECK(read_process_figures().open_fds == before);
}

TEST_CASE("the most that may be open is the soft limit") {
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(read_process_figures().max_fds == limit.rlim_cur);
}

TEST_CASE("threads are counted") {
    std::promise<void> over;
    std::thread other([until = over.get_future()]() mutable { until.wait(); });
    CHECK(read_process_figures().threads >= 2);
    over.set_value();
    other.join();
    CHECK(read_process_figures().threads >= 1);
}

TEST_CASE("memory is told in bytes, the resident part beside the whole") {
    constexpr size_t kBytes = size_t{64} << 20;
    const ProcessFigures before = read_process_figures();
    CHECK(before.resident_bytes > 0);
    CHECK(before.virtual_bytes > before.resident_bytes);
    const Touched memory(kBytes);
    const ProcessFigures with = read_process_figures();
    CHECK(with.virtual_bytes >= before.virtual_bytes + kBytes / 2);
    CHECK(with.resident_bytes >= before.resident_bytes + kBytes / 2);
    CHECK(with.resident_bytes < before.resident_bytes + 8 * kBytes);
}

TEST_CASE("the time of the processor goes on while there is work, and is told in seconds") {
    const auto spent = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
    const double before = read_process_figures().cpu_seconds;
    const double own = spent();
    while (spent() < own + 0.05) {
    }
    const double took = read_process_figures().cpu_seconds - before;
    CHECK(took >= 0.04);
    CHECK(took < 10);
}

}  // namespace weir::app
