#include "app/overview.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::app {

std::vector<std::string> told_apart(std::vector<std::string> names) {
    for (size_t index = 1; index < names.size(); ++index) {
        const auto end = names.begin() + static_cast<ptrdiff_t>(index);
        const std::string name = names[index];
        for (size_t n = 2; std::find(names.begin(), end, names[index]) != end; ++n)
            names[index] = fmt::format("{}#{}", name, n);
    }
    return names;
}

std::vector<std::string> server_labels(const config::Settings& settings) {
    std::vector<std::string> names;
    for (const config::Server& server : settings.upstream.servers) names.push_back(to_string(server.address));
    return told_apart(std::move(names));
}

std::vector<std::string> cap_labels(const proxy::Rules& rules) {
    std::vector<std::string> names;
    for (const auto& cap : rules.caps()) names.push_back(cap->name);
    return told_apart(std::move(names));
}

proxy::HistogramFigures added_up(const Overview& overview, size_t scope,
                                 proxy::Histogram proxy::ScopeFigures::*member) {
    proxy::HistogramFigures sum;
    for (const auto& worker : overview.workers) sum += (worker->scope(scope).*member).read();
    return sum;
}

}  // namespace weir::app
