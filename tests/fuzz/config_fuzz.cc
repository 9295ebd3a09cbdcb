// The configuration file: any bytes are loaded or refused with mistakes that can be found, and what was
// loaded can be written down and loaded again.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/check_report.h"
#include "config/load.h"
#include "input.h"

namespace weir::fuzz {
namespace {

std::optional<std::string> variable(std::string_view name) {
    if (name == "A") return "http://app:5000";
    if (name == "B") return "$${[#: \xff\n";
    if (name == "C") return "";
    return std::nullopt;
}

config::Sources sources(std::string_view text) {
    config::Sources all;
    all.file_name = "weir.yaml";
    all.file_text = text;
    all.environment = variable;
    return all;
}

std::vector<std::pair<std::string, std::string>> values(const config::Loaded& loaded) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const config::Origin& origin : loaded.origins) all.emplace_back(origin.path, origin.value);
    return all;
}

bool is_printable(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<uint8_t>(c);
        if ((byte < 0x20 && c != '\n') || byte == 0x7f) return false;
    }
    return true;
}

void check_diagnostic(const config::Diagnostic& diagnostic) {
    const bool is_missing = diagnostic.message.find("missing") != std::string::npos;
    require(diagnostic.line > 0 || is_missing, "a mistake has a place");
    require((diagnostic.line > 0) == (diagnostic.column > 0), "a line has a column");
    require(!diagnostic.message.empty(), "a mistake says what it is");
    require(is_printable(config::render(diagnostic)), "what is shown cannot drive a terminal");
}

void run(std::string_view input) {
    const auto loaded = config::load(sources(input));
    if (!loaded) {
        require(!loaded.error().empty(), "a refusal has a reason");
        for (const config::Diagnostic& diagnostic : loaded.error()) check_diagnostic(diagnostic);
        return;
    }
    for (const config::Diagnostic& warning : loaded->warnings) check_diagnostic(warning);
    const auto again = config::load(sources(config::effective_config(*loaded)));
    require(again.has_value(), "the effective configuration loads");
    require(values(*again) == values(*loaded), "and to the same values");
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    weir::fuzz::run(weir::fuzz::bytes_of(data, size));
    return 0;
}
