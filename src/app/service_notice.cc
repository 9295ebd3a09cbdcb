#include "app/service_notice.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <chrono>
#include <system_error>

namespace weir::app::service_notice {

namespace {

int64_t microseconds(Duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

/// Nothing depends on whether it arrives.
void tell(const std::string& message) { static_cast<void>(sd_notify(0, message.c_str())); }

}  // namespace

void ready(const std::string& status) { tell(fmt::format("READY=1\nSTATUS={}", status)); }

void reloading(Time now) {
    tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading",
                     microseconds(now.time_since_epoch())));
}

void stopping(Duration bound) {
    constexpr Duration kForTheRest = std::chrono::seconds(10);
    tell(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS=draining",
                     microseconds(bound + kForTheRest)));
}

void alive() { tell("WATCHDOG=1"); }

std::optional<Duration> watchdog_interval() {
    uint64_t wanted = 0;
    if (sd_watchdog_enabled(0, &wanted) <= 0) return std::nullopt;
    return std::chrono::microseconds(wanted);
}

Result<std::vector<net::Fd>> take_sockets() {
    const int count = sd_listen_fds(1);
    if (count < 0)
        return fail(fmt::format("cannot take over sockets: {}", std::generic_category().message(-count)));
    std::vector<net::Fd> sockets;
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
            return fail(fmt::format("descriptor {} was handed over, and is not a listening socket", fd));
        sockets.emplace_back(fd);
    }
    return sockets;
}

}  // namespace weir::app::service_notice
