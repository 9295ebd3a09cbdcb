#include "app/commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/server.h"
#include "app/version.h"
#include "base/log.h"
#include "cli/config_source.h"
#include "config/check_report.h"
#include "demo/sample_app.h"

namespace weir::app {

namespace {

void print_warnings(const config::Loaded& loaded) {
    for (const config::Diagnostic& warning : loaded.warnings)
        fmt::print(stderr, "{}", config::render(warning));
}

std::string joined(const std::vector<std::string>& items) {
    return fmt::format("{}", fmt::join(items, ", "));
}

std::vector<std::string> server_names(const config::Settings& settings) {
    std::vector<std::string> names;
    for (const config::Server& server : settings.upstream.servers) names.push_back(to_string(server.address));
    return names;
}

int serve(const config::Loaded& loaded) {
    auto server = Server::start(loaded.settings, config::effective_config(loaded));
    if (!server) {
        log::error("{}", server.error());
        return kCouldNotStart;
    }
    const std::string admin = (*server)->admin_address();
    if (!admin.empty()) log::info("metrics and states are at {}", admin);
    log::info("weir {} listens on {}, the app is at {}", kVersion, joined((*server)->addresses()),
              joined(server_names(loaded.settings)));
    (*server)->run();
    server->reset();
    log::info("stopped");
    return 0;
}

constexpr const char* kDemoListen = "127.0.0.1:8080";
constexpr const char* kDemoText =
    R"(The sample app of this demo runs behind weir at http://{0}/ : open it in a browser, or try

  curl -i http://{0}/fast
  curl -N http://{0}/stream
  curl -i http://{0}/crash

Ctrl-C ends it. One line for each request follows.
)";

}  // namespace

int run_command_line(int argc, const char* const* argv) {
    auto line = cli::parse_command_line(argc, argv);
    if (!line) {
        fmt::print("{}", line.error().to_stdout);
        fmt::print(stderr, "{}", line.error().to_stderr);
        return line.error().code;
    }
    switch (line->action) {
        case cli::Action::run: return run(*line);
        case cli::Action::check: return check(*line);
        case cli::Action::demo: return demo(*line);
        case cli::Action::version: return version();
    }
    return 0;
}

int run(const cli::CommandLine& line) {
    auto loaded = cli::load_config(line);
    if (!loaded) {
        fmt::print(stderr, "{}", loaded.error());
        return kBadConfig;
    }
    print_warnings(*loaded);
    prepare_process();
    return serve(*loaded);
}

int check(const cli::CommandLine& line) {
    auto loaded = cli::load_config(line);
    if (!loaded) {
        fmt::print(stderr, "{}", loaded.error());
        return kBadConfig;
    }
    fmt::print("{}", config::effective_config(*loaded));
    print_warnings(*loaded);
    return 0;
}

int demo(const cli::CommandLine& line) {
    prepare_process();
    auto sample = demo::SampleApp::start();
    if (!sample) {
        log::error("the sample app cannot start: {}", sample.error());
        return kCouldNotStart;
    }
    cli::CommandLine proxied = line;
    proxied.flags.insert(proxied.flags.begin(), {"listen", kDemoListen, "--listen"});
    std::string url = fmt::format("http://127.0.0.1:{}", (*sample)->port());
    proxied.flags.push_back({"upstream.servers", url, "--upstream"});
    auto loaded = cli::load_config(proxied);
    if (!loaded) {
        fmt::print(stderr, "{}", loaded.error());
        return kBadConfig;
    }
    auto server = Server::start(loaded->settings, config::effective_config(*loaded));
    if (!server) {
        log::error("{}; weir demo --listen ADDR chooses another address", server.error());
        return kCouldNotStart;
    }
    fmt::print(fmt::runtime(kDemoText), (*server)->addresses().front());
    std::fflush(stdout);
    (*server)->run();
    return 0;
}

int version() {
    fmt::print("{}", version_text());
    return 0;
}

}  // namespace weir::app
