#include "config/expand.h"

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

constexpr size_t kMostMistakes = 16;  ///< in one scalar

bool is_name(std::string_view text) {
    if (text.empty() || is_digit(text.front())) return false;
    for (const char c : text) {
        if (!is_letter(c) && !is_digit(c) && c != '_') return false;
    }
    return true;
}

Place place_within(const Node& scalar, size_t offset) {
    Place place = scalar.place;
    if (scalar.verbatim_from == std::string::npos) return place;
    place.column += scalar.verbatim_from + count_characters(std::string_view(scalar.text).substr(0, offset));
    place.offset += scalar.verbatim_from + offset;
    return place;
}

class Expander {
  public:
    Expander(const Node& scalar, const Environment& environment, std::vector<Mistake>& mistakes)
        : scalar_(scalar), text_(scalar.text), environment_(environment), mistakes_(mistakes) {}

    std::optional<std::string> run() {
        const size_t mistakes_before = mistakes_.size();
        while (at_ < text_.size() && result_.size() <= kMaxConfigBytes &&
               mistakes_.size() - mistakes_before < kMostMistakes) {
            step();
        }
        if (result_.size() > kMaxConfigBytes) report("the expanded value is too long", {});
        if (mistakes_.size() != mistakes_before) return std::nullopt;
        return std::move(result_);
    }

  private:
    void step() {
        const std::string_view rest = text_.substr(at_);
        if (rest.starts_with("${")) return reference(rest);
        if (rest.starts_with("$$")) {
            result_ += '$';
            at_ += 2;
            return;
        }
        const size_t length = std::max<size_t>(1, std::min(rest.find('$'), rest.size()));
        result_ += rest.substr(0, length);
        at_ += length;
    }

    void reference(std::string_view rest) {
        const size_t end = rest.find('}');
        if (end == std::string_view::npos) {
            report("`${` is never closed", "write `${NAME}`, or `$${` for the characters themselves");
            at_ = text_.size();
            return;
        }
        substitute(rest.substr(2, end - 2));
        at_ += end + 1;
    }

    void substitute(std::string_view inside) {
        const size_t separator = inside.find(":-");
        const std::string_view name = inside.substr(0, separator);
        if (!is_name(name) || inside.find("${") != std::string_view::npos) {
            return report(fmt::format("{} is not a variable", quoted(fmt::format("${{{}}}", inside))),
                          "write `${NAME}` or `${NAME:-default}`; defaults do not nest");
        }
        const std::optional<std::string> value = environment_ ? environment_(name) : std::nullopt;
        if (separator != std::string_view::npos) {
            result_ += value && !value->empty() ? *value : std::string(inside.substr(separator + 2));
        } else if (value) {
            result_ += *value;
        } else {
            report(fmt::format("the variable {} is not set", quoted(name)),
                   fmt::format("set it, or give a default: `${{{}:-default}}`", printable(name)));
        }
    }

    void report(std::string message, std::string hint) {
        mistakes_.push_back({place_within(scalar_, at_), std::move(message), std::move(hint)});
    }

    const Node& scalar_;
    std::string_view text_;
    const Environment& environment_;
    std::vector<Mistake>& mistakes_;
    std::string result_;
    size_t at_ = 0;
};

}  // namespace

void expand(Node& node, const Environment& environment, std::vector<Mistake>& mistakes) {
    for (Node& item : node.items) expand(item, environment, mistakes);
    for (Entry& entry : node.entries) expand(entry.value, environment, mistakes);
    if (node.kind != Kind::scalar || node.text.find('$') == std::string::npos) return;
    std::optional<std::string> text = Expander(node, environment, mistakes).run();
    if (!text) {
        node.kind = Kind::broken;
    } else if (node.plain && (text->empty() || *text == "~")) {
        node.kind = Kind::nothing;
    } else {
        node.text = std::move(*text);
    }
}

std::string escape_dollars(std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped.append(c == '$' ? 2 : 1, c);
    return escaped;
}

}  // namespace weir::config
