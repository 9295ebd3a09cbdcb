#include "config/check_report.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "config/document.h"
#include "config/field_table.h"
#include "config/text.h"

namespace weir::config {
namespace {

constexpr size_t kIndent = 2;
constexpr size_t kWidestColumn = 48;  ///< comments are not moved further right than this by a long value

struct Line {
    std::string text;
    std::string comment;
};

size_t depth_of(std::string_view path) {
    return static_cast<size_t>(std::count(path.begin(), path.end(), '.'));
}

std::string indented(size_t depth, std::string_view text) {
    return std::string(depth * kIndent, ' ').append(text);
}

/// The elements of a flow list as they are written in it; empty where the value is no list.
std::vector<std::string> elements_of(const std::string& value) {
    std::vector<std::string> elements;
    if (!value.starts_with('[')) return elements;
    const Document document = parse_document(value);
    const std::vector<Node>& items = document.root.items;
    for (size_t i = 0; i < items.size(); ++i) {
        const size_t start = items[i].place.offset;
        const size_t end =
            i + 1 < items.size() ? value.rfind(',', items[i + 1].place.offset) : value.rfind(']');
        elements.push_back(value.substr(start, end - start));
    }
    return elements;
}

class Report {
  public:
    void add(const Origin& origin) {
        open_sections(parent_of(origin.path));
        const size_t depth = depth_of(origin.path);
        const std::string name(name_of(origin.path));
        const std::vector<std::string> elements = elements_of(origin.value);
        if (elements.empty()) {
            lines_.push_back({indented(depth, fmt::format("{}: {}", name, origin.value)), origin.from});
            return;
        }
        lines_.push_back({indented(depth, name + ":"), origin.from});
        for (const std::string& element : elements)
            lines_.push_back({indented(depth + 1, "- " + element), {}});
    }

    [[nodiscard]] std::string text() const {
        size_t column = 0;
        for (const Line& line : lines_) {
            const size_t width = count_characters(line.text);
            if (!line.comment.empty() && width <= kWidestColumn) column = std::max(column, width);
        }
        std::string text;
        for (const Line& line : lines_) {
            text += line.text;
            if (!line.comment.empty()) {
                const size_t width = count_characters(line.text);
                text.append(column - std::min(column, width) + 2, ' ')
                    .append("# ")
                    .append(printable(line.comment, 300));
            }
            text += '\n';
        }
        return text;
    }

  private:
    /// Writes the headings of the sections that `path` is in and that are not open yet.
    void open_sections(std::string_view path) {
        if (path.empty() || path == section_ || section_.starts_with(fmt::format("{}.", path))) return;
        open_sections(parent_of(path));
        lines_.push_back({indented(depth_of(path), fmt::format("{}:", name_of(path))), {}});
        section_ = path;
    }

    std::vector<Line> lines_;
    std::string section_;
};

}  // namespace

std::string effective_config(const Loaded& loaded) {
    Report report;
    for (const Origin& origin : loaded.origins) report.add(origin);
    return report.text();
}

}  // namespace weir::config
