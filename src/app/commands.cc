#include "app/commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

#include "app/explain.h"
#include "app/file_checks.h"
#include "app/server.h"
#include "app/version.h"
#include "base/log.h"
#include "cli/config_schema.h"
#include "cli/config_source.h"
#include "cli/config_table.h"
#include "config/check_report.h"
#include "demo/sample_app.h"

namespace weir::app {

namespace {

/// A stream that takes nothing, /dev/full or one that is closed, is no reason to end in the middle.
void say(std::FILE* stream, std::string_view text) { std::fwrite(text.data(), 1, text.size(), stream); }

void print_warnings(const config::Loaded& loaded) {
    for (const config::Diagnostic& warning : loaded.warnings) say(stderr, config::render(warning));
}

/// What may be otherwise where weir will run: the start alone makes an error of it.
void print_absent_files(const config::Loaded& loaded) {
    const std::string& file = loaded.settings.upstream.tls.ca;
    if (file.empty() || access(file.c_str(), R_OK) == 0) return;
    const int error = errno;
    auto is_meant = [](const config::Origin& origin) { return origin.path == "upstream.tls.ca"; };
    auto origin = std::find_if(loaded.origins.begin(), loaded.origins.end(), is_meant);
    say(stderr, config::render({.severity = config::Severity::warning,
                                .source = origin == loaded.origins.end() ? std::string() : origin->from,
                                .quoted = {},
                                .message = fmt::format("`upstream.tls.ca`: cannot read `{}`: {}", file,
                                                       std::generic_category().message(error)),
                                .hint = {}}));
}

Configuration configuration_of(const config::Loaded& loaded) {
    return {.settings = loaded.settings, .effective = config::effective_config(loaded)};
}

/// From the file, the environment and the flags of the start.
ReadAgain reading_again(const cli::CommandLine& line) {
    return [line]() -> Result<Configuration, std::string> {
        auto loaded = cli::load_config(line, file_checks(AbsentFile::error));
        if (!loaded) return fail(loaded.error());
        for (const config::Diagnostic& warning : loaded->warnings)
            log::warning("{}", config::render(warning));
        return configuration_of(*loaded);
    };
}

int serve(const config::Loaded& loaded, const cli::CommandLine& line) {
    auto server = Server::start(configuration_of(loaded), reading_again(line));
    if (!server) {
        log::error("{}", server.error());
        return kCouldNotStart;
    }
    const std::string admin = (*server)->admin_address();
    if (!admin.empty()) log::info("metrics and states are at {}", admin);
    log::info("weir {} {}", kVersion, (*server)->status());
    (*server)->run();
    server->reset();
    log::info("stopped");
    return 0;
}

constexpr const char* kDemoListen = "127.0.0.1:8080";
/// Enough for one person who clicks; what a burst shows is the limit of its route.
constexpr const char* kDemoSettings[][2] = {
    {"limits.rate", "[300/min]"},
    {"limits.concurrency", "4"},
    {"limits.queue", "{size: 20, wait: 5s}"},
    {"routes", "[{match: {path: /slow}, name: slow, limits: {rate: [30/10s]}}]"},
};
constexpr const char* kDemoText =
    R"(The sample app of this demo runs behind weir at http://{0}/ : open it in a browser, or try

  for i in $(seq 28); do curl -s -o /dev/null -w '%{{http_code}} %{{time_total}}\n' 'http://{0}/slow?ms=500' & done; wait
  for i in $(seq 35); do curl -s -w ' %{{http_code}}\n' 'http://{0}/slow?ms=1'; done
  curl -i http://{0}/fast http://{0}/crash

The app gets 4 requests at once, and 20 wait in a fair queue: the first command shows how long, and who finds
it full. A client may ask 300 times in any minute, and /slow 30 times in any 10 seconds: the second command
ends in refusals that say so. Ctrl-C ends the demo. One line for each request follows.
)";

/// In front of what was asked for, which therefore holds. Who brings a file brings the limits too.
void add_demo_settings(cli::CommandLine& line) {
    std::vector<config::Assignment> own{{"listen", kDemoListen, "--listen"}};
    if (line.config_file.empty())
        for (const auto& [key, value] : kDemoSettings) own.push_back({key, value, "weir demo"});
    line.flags.insert(line.flags.begin(), own.begin(), own.end());
}

int follow_command_line(int argc, const char* const* argv) {
    auto line = cli::parse_command_line(argc, argv);
    if (!line) {
        say(stdout, line.error().to_stdout);
        say(stderr, line.error().to_stderr);
        return line.error().code;
    }
    switch (line->action) {
        case cli::Action::run: return run(*line);
        case cli::Action::check: return check(*line);
        case cli::Action::demo: return demo(*line);
        case cli::Action::explain: return explain(*line);
        case cli::Action::schema: return schema(*line);
        case cli::Action::version: return version();
    }
    return 0;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
    const int code = follow_command_line(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    say(stderr, "weir: cannot write to stdout\n");
    return kCouldNotWrite;
}

int run(const cli::CommandLine& line) {
    auto loaded = cli::load_config(line, file_checks(AbsentFile::error));
    if (!loaded) {
        say(stderr, loaded.error());
        return kBadConfig;
    }
    print_warnings(*loaded);
    prepare_process();
    return serve(*loaded, line);
}

int check(const cli::CommandLine& line) {
    auto loaded = cli::load_config(line, file_checks(AbsentFile::warning));
    if (!loaded) {
        say(stderr, loaded.error());
        return kBadConfig;
    }
    if (!line.is_quiet) say(stdout, config::effective_config(*loaded));
    print_warnings(*loaded);
    print_absent_files(*loaded);
    return 0;
}

int explain(const cli::CommandLine& line) {
    auto loaded = cli::load_config(line);
    if (!loaded) {
        say(stderr, loaded.error());
        return kBadConfig;
    }
    auto explanation = explain_request(loaded->settings, line.question, monotonic_now());
    if (!explanation) {
        say(stderr, fmt::format("weir: {}\n", explanation.error()));
        return kBadUsage;
    }
    say(stdout, explanation->text);
    return explanation->is_refused ? kWouldBeRefused : 0;
}

int demo(const cli::CommandLine& line) {
    prepare_process();
    auto sample = demo::SampleApp::start();
    if (!sample) {
        log::error("the sample app cannot start: {}", sample.error());
        return kCouldNotStart;
    }
    cli::CommandLine proxied = line;
    add_demo_settings(proxied);
    std::string url = fmt::format("http://127.0.0.1:{}", (*sample)->port());
    proxied.flags.push_back({"upstream.servers", url, "--upstream"});
    auto loaded = cli::load_config(proxied, file_checks(AbsentFile::error));
    if (!loaded) {
        say(stderr, loaded.error());
        return kBadConfig;
    }
    auto server = Server::start(configuration_of(*loaded), reading_again(proxied));
    if (!server) {
        log::error("{}; weir demo --listen ADDR chooses another address", server.error());
        return kCouldNotStart;
    }
    say(stdout, fmt::format(fmt::runtime(kDemoText), (*server)->addresses().front()));
    std::fflush(stdout);
    (*server)->run();
    return 0;
}

int schema(const cli::CommandLine& line) {
    say(stdout, line.as_markdown ? cli::config_table() : cli::config_schema());
    return 0;
}

int version() {
    say(stdout, version_text());
    return 0;
}

}  // namespace weir::app
