// The files in conf/ are what operators start from: they must say what holds.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include <doctest/doctest.h>

#include "config/field_table.h"
#include "loading.h"

using namespace weir;
using namespace weir::config;

namespace {

std::string text_of(const std::string& name) {
    std::ifstream file(std::string(WEIR_SOURCE_DIR) + "/conf/" + name);
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("conf/weir.yaml sets every key, to its default") {
    const Loaded loaded = load_well(sources(text_of("weir.yaml")));
    CHECK(loaded.warnings.empty());
    const Loaded defaults = load_well(std::string());
    for (const Origin& origin : loaded.origins) {
        CAPTURE(origin.path);
        CHECK(origin.from.starts_with("weir.yaml:"));
        const Field* field = find_field(origin.path);
        REQUIRE(field != nullptr);
        if (!field->fallback.empty()) CHECK(origin.value == field->fallback);
    }
    CHECK(loaded.settings.listen[0].address == defaults.settings.listen[0].address);
    CHECK(loaded.settings.upstream.servers[0].address == defaults.settings.upstream.servers[0].address);
}

TEST_CASE("conf/weir.yaml explains every key") {
    const std::string text = text_of("weir.yaml");
    std::string before;
    size_t start = 0;
    while (start < text.size()) {
        const size_t end = text.find('\n', start);
        const std::string line = text.substr(start, end - start);
        const size_t content = line.find_first_not_of(' ');
        const bool is_top_section = content == 0 && line.ends_with(':');
        const bool is_key =
            content != std::string::npos && line[content] != '#' && line[content] != '-' && !is_top_section;
        CAPTURE(line);
        if (is_key) CHECK(before.find('#') != std::string::npos);
        before = line;
        start = end + 1;
    }
}

TEST_CASE("conf/minimal.yaml is the usual job, and nothing else") {
    const std::string text = text_of("minimal.yaml");
    CHECK(text.starts_with("# "));
    CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 8);
    const Loaded loaded = load_well(sources(text));
    CHECK(loaded.warnings.empty());
    const std::set<std::string> given{"listen",
                                      "upstream.servers",
                                      "limits.rate",
                                      "limits.concurrency",
                                      "limits.queue.size",
                                      "limits.queue.wait",
                                      "timeout.total",
                                      "health.path"};
    for (const Origin& origin : loaded.origins) {
        CAPTURE(origin.path);
        CHECK(given.contains(origin.path) == (origin.from != "default"));
    }
    const Settings& settings = loaded.settings;
    REQUIRE(settings.limits.rates.size() == 2);
    CHECK(settings.limits.rates[0].name == "per-min");
    CHECK(settings.limits.rates[1].quota == Quota{1000, std::chrono::hours(1)});
    CHECK(settings.limits.concurrency == 20);
    CHECK(settings.limits.queue.size.value == 100);
    CHECK(settings.limits.queue.wait.value == std::chrono::seconds(5));
    CHECK(settings.health.path == "/health");
}

TEST_CASE("the routes that conf/weir.yaml shows as an example are good") {
    std::string text = text_of("weir.yaml");
    std::string routes = "routes:\n";
    for (size_t start = text.find("#   - match:"); text.compare(start, 4, "#   ") == 0;) {
        const size_t end = text.find('\n', start);
        const std::string line = text.substr(start + 1, end - start);
        start = end + 1;
        if (line.starts_with("   alone")) break;
        routes += line;
    }
    const Loaded loaded = load_well(routes);
    CHECK(loaded.warnings.empty());
    CHECK(loaded.settings.routes.size() == 3);
}
