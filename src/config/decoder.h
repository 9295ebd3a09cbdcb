// A source's tree into the draft, row by row of the field table. Everything wrong is reported; what is right
// is stored.
#pragma once

#include <optional>
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
    void decode_element(const Field& field, const Node& node, const Place& key);
    void decode_value(const Field& field, const Node& node, const Place& key);
    void require_keys(const Field& element, const Node& node);

    void report_unknown(const Field* scope, const Entry& entry);
    void report(const Field& field, const Place& place, Wrong wrong);

    void hold(const Field& field, const Node& node, const Place& place);
    void mark_failed(const Field& field);

    /// With the number of each element that is being decoded: "listen[1].mode".
    [[nodiscard]] std::string numbered_path(std::string_view path) const;

    Draft& draft_;
    const Input& input_;
    /// Of the elements that are being decoded, outermost first; none: written without the brackets of a list.
    std::vector<std::optional<size_t>> indices_;
};

/// "did you mean `timeout.total`?", where the name exists elsewhere, or what exists in this scope ("": the
/// top).
[[nodiscard]] std::string suggest(std::string_view scope, std::string_view name);

}  // namespace weir::config
