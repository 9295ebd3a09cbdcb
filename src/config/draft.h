// What loading has come to so far: the settings, where each came from, and what was wrong. Sources are
// decoded into it one after the other, from the defaults to the flags.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <vector>

#include "config/document.h"
#include "config/field_table.h"
#include "config/input.h"
#include "config/load.h"

namespace weir::config {

/// Mistakes and risks as they are found. Past kMost the rest is counted, not kept.
class Reports {
  public:
    static constexpr size_t kMost = 2'000;

    void add(Diagnostic diagnostic);

    /// Whether explaining another one would be in vain.
    [[nodiscard]] bool is_full() const { return kept_.size() >= kMost; }
    [[nodiscard]] bool has_errors() const { return has_errors_; }

    /// Each once: those of the file in its order, then variables, then flags as they were given.
    [[nodiscard]] std::vector<Diagnostic> in_order() const;

  private:
    std::vector<Diagnostic> kept_;
    std::optional<Diagnostic> first_hidden_;
    size_t hidden_ = 0;
    bool has_errors_ = false;
};

/// What a key was last set to, and where.
struct Held {
    const Input* input = nullptr;  ///< null: the default
    Place place = {};
    Node node = {};
    bool failed = false;                 ///< set to something wrong: nothing follows from its value
    std::set<size_t> failed_items = {};  ///< of a list: those with something wrong in them
};

class Draft {
  public:
    /// Everything at its default; what has none is missing.
    Draft();

    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    /// Sources are kept: mistakes found later still point into them.
    const Input& add(Input input) { return inputs_.emplace_back(std::move(input)); }

    /// `field` is not inside a list: a list is held as a whole.
    [[nodiscard]] Held& held(const Field& field);
    [[nodiscard]] const Held& held(std::string_view path) const;

    /// Every key and where it stands, in the order of the table.
    [[nodiscard]] std::vector<Origin> origins() const;

    Settings settings;
    Reports reports;
    bool is_complete = true;  ///< false: a source could not be read to its end

  private:
    std::vector<Held> held_;
    std::deque<Input> inputs_;
};

/// Stores the default of one key that has one.
void store_default(const Field& field, Settings& settings);

/// Stores the defaults of all keys below the list `scope` into its last element, or with null those
/// outside any list.
void store_defaults(const Field* scope, Settings& settings);

}  // namespace weir::config
