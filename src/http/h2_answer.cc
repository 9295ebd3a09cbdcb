#include "http/h2_answer.h"

#include <charconv>

#include "http/chunk_decoder.h"
#include "http/sent_fields.h"

namespace weir::http {

void H2Answer::begin(uint16_t status) {
    lines_.clear();
    std::to_chars(status_.data(), status_.data() + status_.size(), status);
    lines_.push_back({.name = ":status", .value = {status_.data(), status_.size()}});
}

std::span<const H2Line> H2Answer::head(const ResponseHead& head, const ResponseFacts& facts) {
    begin(head.status);
    for_each_answer_field(head, facts, [this](const Field& field) {
        lines_.push_back(
            {.name = field.name, .value = field.value, .is_unique = field.id == FieldId::x_request_id});
    });
    if (facts.body.framing == Framing::length) {
        char* const end =
            std::to_chars(length_.data(), length_.data() + length_.size(), facts.body.length).ptr;
        lines_.push_back({.name = "content-length", .value = {length_.data(), end}});
    }
    return lines_;
}

std::span<const H2Line> H2Answer::interim(const ResponseHead& head) {
    begin(head.status);
    for_each_sent_field(head, {}, [this](const Field& field) {
        lines_.push_back({.name = field.name, .value = field.value});
    });
    return lines_;
}

std::span<const H2Line> H2Answer::trailers(std::string_view section) {
    lines_.clear();
    for (const Field& field : parse_trailers(section))
        lines_.push_back({.name = field.name, .value = field.value});
    return lines_;
}

}  // namespace weir::http
