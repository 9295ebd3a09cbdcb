#include "cli/config_source.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "net/sockets.h"

namespace weir::cli {

namespace {

CommandLine with_file(const std::string& name) {
    CommandLine line;
    line.config_file = name;
    return line;
}

std::string refusal_of(const CommandLine& line) {
    auto loaded = load_config(line);
    REQUIRE_FALSE(loaded.has_value());
    return loaded.error();
}

constexpr const char* kSmallest = "listen: 127.0.0.1:8080\nupstream: http://127.0.0.1:5000\n";

}  // namespace

TEST_CASE("a file and flags make the settings, and the flags win") {
    net::TemporaryFolder folder;
    CommandLine line = with_file(folder.file("weir.yaml"));
    std::ofstream(line.config_file) << kSmallest << "workers: 2\n";
    line.flags = {{"workers", "3", "--set workers=3"}};
    auto loaded = load_config(line);
    REQUIRE(loaded.has_value());
    CHECK(loaded->settings.workers == 3);
    CHECK(loaded->settings.listen.front().address.port == 8080);
}

TEST_CASE("a file that was asked for must be there and be one") {
    net::TemporaryFolder folder;
    const std::string missing = folder.file("missing.yaml");
    CHECK(refusal_of(with_file(missing)) == missing + ": error: No such file or directory\n");
    const std::string directory = folder.file(".");
    CHECK(refusal_of(with_file(directory)) == directory + ": error: this is a directory\n");
}

TEST_CASE("a file that is too large is refused, not cut off") {
    net::TemporaryFolder folder;
    const std::string name = folder.file("weir.yaml");
    std::ofstream(name) << kSmallest << std::string(config::kMaxConfigBytes, '#');
    CHECK(refusal_of(with_file(name)).find("error") != std::string::npos);
}

TEST_CASE("mistakes name the file and the line") {
    net::TemporaryFolder folder;
    const std::string name = folder.file("weir.yaml");
    std::ofstream(name) << kSmallest << "wrokers: 2\n";
    CHECK(refusal_of(with_file(name)).find(name + ":3:1: error") != std::string::npos);
}

TEST_CASE("an upstream on the command line makes a file needless") {
    CommandLine line;
    line.flags = {{"upstream.servers", "http://127.0.0.1:5000", "--upstream http://127.0.0.1:5000"},
                  {"listen", ":8080", "--listen :8080"}};
    auto loaded = load_config(line);
    REQUIRE(loaded.has_value());
    CHECK(loaded->settings.upstream.servers.size() == 1);
}

}  // namespace weir::cli
