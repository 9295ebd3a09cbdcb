#include "config/findings.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

/// Follows the tree of one key's value as far as what is looked for is written.
class Walk {
  public:
    Walk(const Node& node, const Place& place) : node_(&node), place_(place) {}

    /// A value that is no map stands for the one key that its section is short for.
    void to_key(std::string_view key) {
        if (has_ended_ || node_->kind != Kind::map) return;
        const auto found = std::find_if(node_->entries.begin(), node_->entries.end(),
                                        [&](const Entry& entry) { return entry.key == key; });
        has_ended_ = found == node_->entries.end();
        if (!has_ended_) move(found->value, found->place);
    }

    void to_item(size_t index) {
        if (is_numbered() && index < node_->items.size())
            move(node_->items[index], node_->items[index].place);
    }

    [[nodiscard]] bool is_numbered() const { return !has_ended_ && node_->kind == Kind::list; }
    [[nodiscard]] const Place& place() const { return place_; }
    [[nodiscard]] bool has_ended() const { return has_ended_; }

  private:
    void move(const Node& node, const Place& place) {
        node_ = &node;
        place_ = place;
    }

    const Node* node_;
    Place place_;
    bool has_ended_ = false;
};

}  // namespace

Spot::Spot(std::string_view path) {
    while (!path.empty()) {
        const size_t dot = std::min(path.find('.'), path.size());
        steps_.push_back({std::string(path.substr(0, dot)), {}});
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
}

Spot Spot::operator/(std::string_view key) const {
    Spot spot = *this;
    spot.steps_.push_back({std::string(key), {}});
    return spot;
}

Spot Spot::operator[](size_t index) const {
    Spot spot = *this;
    spot.steps_.push_back({{}, index});
    return spot;
}

Findings::Found Findings::find(const Spot& spot) const {
    Found found;
    std::optional<Walk> walk;
    for (const Spot::Step& step : spot.steps_) {
        if (step.index) {
            if (!found.item) found.item = step.index;
            if (walk && walk->is_numbered()) found.shown += fmt::format("[{}]", *step.index);
            if (walk) walk->to_item(*step.index);
            continue;
        }
        found.shown += fmt::format("{}{}", found.shown.empty() ? "" : ".", printable(step.key));
        if (walk) walk->to_key(step.key);
        if (found.held != nullptr) continue;
        const Field* field = find_field(found.shown);
        if (field == nullptr || (field->is_section() && !field->has_elements())) continue;
        found.held = &draft_.held(found.shown);
        walk.emplace(found.held->node, found.held->place);
    }
    if (walk) {
        found.place = walk->place();
        found.is_whole = found.held->input != nullptr && !walk->has_ended();
    }
    return found;
}

bool Findings::is_written(const Spot& spot) const { return find(spot).is_whole; }

bool Findings::is_sound(const Spot& spot) const {
    const Found found = find(spot);
    if (found.held == nullptr || !found.held->failed) return true;
    return found.item && !found.held->failed_items.empty() && !found.held->failed_items.contains(*found.item);
}

bool Findings::are_sound(std::initializer_list<std::string_view> paths) const {
    return std::none_of(paths.begin(), paths.end(),
                        [&](std::string_view path) { return draft_.held(path).failed; });
}

std::string Findings::name(const Spot& spot) const { return fmt::format("`{}`", find(spot).shown); }

void Findings::report(Severity severity, const Spot& spot, Wrong wrong) {
    const Found found = find(spot);
    const bool is_written = found.held != nullptr && found.held->input != nullptr;
    draft_.reports.add(is_written ? found.held->input->diagnose(severity, found.place, std::move(wrong))
                                  : file_.diagnose(severity, std::move(wrong)));
}

void Findings::error(const Spot& spot, std::string message, std::string hint) {
    report(Severity::error, spot, {std::move(message), std::move(hint)});
}

void Findings::warning(const Spot& spot, std::string message, std::string hint) {
    report(Severity::warning, spot, {std::move(message), std::move(hint)});
}

void Findings::report(Severity severity, Wrong wrong) {
    draft_.reports.add(file_.diagnose(severity, std::move(wrong)));
}

}  // namespace weir::config
