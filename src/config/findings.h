// What cross-checks say, and where: any key or element, however deep, has a name and a place.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/draft.h"

namespace weir::config {

/// The way to a key or an element from the top: `Spot("routes")[2] / "limits" / "queue"`.
class Spot {
  public:
    explicit Spot(std::string_view path);  ///< "limits.queue": without elements

    Spot operator/(std::string_view key) const;  ///< also the name of an element of a map
    Spot operator[](size_t index) const;

  private:
    friend class Findings;

    struct Step {
        std::string key;              ///< empty: an element
        std::optional<size_t> index;  ///< of an element
    };
    std::vector<Step> steps_;
};

class Findings {
  public:
    /// Both outlive it. `file` is blamed where a key has its default.
    Findings(Draft& draft, const Input& file) : draft_(draft), file_(file) {}

    [[nodiscard]] const Settings& settings() const { return draft_.settings; }

    /// Whether some source says it, so that it can be a mistake.
    [[nodiscard]] bool is_written(const Spot& spot) const;

    /// Whether something follows from the value: nothing was wrong with it. Of what is in a list, its
    /// outermost element decides.
    [[nodiscard]] bool is_sound(const Spot& spot) const;
    [[nodiscard]] bool are_sound(std::initializer_list<std::string_view> paths) const;

    /// As messages name it: `routes[2].limits.queue`, between backquotes. An element that is written without
    /// the brackets of a list has no number.
    [[nodiscard]] std::string name(const Spot& spot) const;

    /// Points at the key, or the nearest one around it that is written.
    void report(Severity severity, const Spot& spot, Wrong wrong);
    void error(const Spot& spot, std::string message, std::string hint);
    void warning(const Spot& spot, std::string message, std::string hint = {});

    /// Of the file as a whole.
    void report(Severity severity, Wrong wrong);

  private:
    struct Found {
        const Held* held = nullptr;  ///< null: a section
        std::optional<size_t> item;  ///< its element that leads to the spot
        Place place;                 ///< where something is held
        bool is_whole = false;       ///< all of the way is written
        std::string shown;
    };
    [[nodiscard]] Found find(const Spot& spot) const;

    Draft& draft_;
    const Input& file_;
};

}  // namespace weir::config
