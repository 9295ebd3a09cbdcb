// A source's tree into the draft, row by row of the field table. Everything wrong is reported; what is right
// is stored.
#pragma once

#include <string>
#include <vector>

#include "config/draft.h"

namespace weir::config {

class Decoder {
  public:
    /// Both outlive the decoder; `input` is the draft's own.
    Decoder(Draft& draft, const Input& input) : draft_(draft), input_(input) {}

    /// The whole file.
    void decode_root(const Node& root);

    /// One key and what it is set to. `key` is where to point when there is no value to point at.
    void decode_field(const Field& field, const Node& node, const Place& key);

  private:
    void decode_section(const Field* scope, const Node& node);
    void decode_list(const Field& field, const Node& node, const Place& key);
    void decode_map(const Field& field, const Node& node, const Place& key);
    void decode_named(const Field& field, const Entry& entry);
    void decode_element(const Field& field, const Node& node, const Place& key);
    void decode_value(const Field& field, const Node& node, const Place& key);
    void require_keys(const Field& element, const Node& node);

    /// Replaces the elements that `field` has by none. False: `node` stands for none, or for none of them
    /// could be read, and nothing is left to do.
    bool begin_elements(const Field& field, const Node& node, const Place& key);
    void reset_section(const Field& section);

    void report_unknown(const Field* scope, const Entry& entry);
    void report(const Field& field, const Place& place, Wrong wrong);

    void hold(const Field& field, const Node& node, const Place& place);
    void mark_failed(const Field& field);

    /// With the number or the name of each element that is being decoded: "listen[1].mode".
    [[nodiscard]] std::string numbered_path(std::string_view path) const;

    struct Element {
        size_t index = 0;
        std::string shown;  ///< "[1]", ".name"; empty: written without the brackets of a list
    };

    Draft& draft_;
    const Input& input_;
    std::vector<Element> elements_;  ///< that are being decoded, outermost first
};

/// "did you mean `timeout.total`?", where the name exists elsewhere, or what exists in this scope ("": the
/// top).
[[nodiscard]] std::string suggest(std::string_view scope, std::string_view name);

}  // namespace weir::config
