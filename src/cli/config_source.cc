#include "cli/config_source.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

namespace weir::cli {

namespace {

constexpr const char* kDefaultFiles[] = {"weir.yaml", "/etc/weir/weir.yaml"};
constexpr std::string_view kPrefix = "WEIR_";

bool names_an_upstream(const CommandLine& line) {
    for (const config::Assignment& flag : line.flags)
        if (flag.path == "upstream" || flag.path.starts_with("upstream.")) return true;
    return false;
}

/// A file that was asked for by name must be there; a default one is used where it is found.
std::string choose_file(const CommandLine& line) {
    if (!line.config_file.empty()) return line.config_file;
    if (names_an_upstream(line)) return {};
    for (const char* name : kDefaultFiles)
        if (access(name, F_OK) == 0) return name;
    return {};
}

Result<std::string> read_file(const std::string& name) {
    struct stat status {};
    if (stat(name.c_str(), &status) != 0)
        return fail(fmt::format("{}: error: {}\n", name, std::strerror(errno)));
    if (S_ISDIR(status.st_mode)) return fail(fmt::format("{}: error: this is a directory\n", name));
    std::ifstream file(name, std::ios::binary);
    // One byte more than may be is enough to tell that it is too large.
    std::string text(config::kMaxConfigBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file && !file.eof()) return fail(fmt::format("{}: error: {}\n", name, std::strerror(errno)));
    text.resize(static_cast<size_t>(file.gcount()));
    return text;
}

std::vector<std::string> override_names() {
    std::vector<std::string> names;
    for (char** each = environ; *each != nullptr; ++each) {
        std::string_view entry = *each;
        if (entry.starts_with(kPrefix)) names.emplace_back(entry.substr(0, entry.find('=')));
    }
    return names;
}

std::string render_all(const std::vector<config::Diagnostic>& diagnostics) {
    std::string text;
    for (const config::Diagnostic& diagnostic : diagnostics) text += config::render(diagnostic);
    return text;
}

}  // namespace

Result<config::Loaded, std::string> load_config(const CommandLine& line, config::Inspect inspect) {
    config::Sources sources;
    sources.inspect = std::move(inspect);
    sources.file_name = choose_file(line);
    sources.flags = line.flags;
    sources.overrides = override_names();
    sources.environment = [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    if (!sources.file_name.empty()) {
        auto text = read_file(sources.file_name);
        if (!text) return fail(text.error());
        sources.file_text = std::move(*text);
    }
    auto loaded = config::load(sources);
    if (!loaded && sources.file_name.empty() && line.flags.empty())
        return fail(fmt::format("weir: no configuration: there is no {} here and no {}\n{}", kDefaultFiles[0],
                                kDefaultFiles[1], render_all(loaded.error())));
    if (!loaded) return fail(render_all(loaded.error()));
    return std::move(*loaded);
}

}  // namespace weir::cli
