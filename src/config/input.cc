#include "config/input.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/text.h"

namespace weir::config {
namespace {

/// How much of a very long line is kept on either side of a mistake, in bytes: more than `render` shows.
constexpr size_t kKeptBeside = 400;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

bool is_enclosed(std::string_view text) {
    if (text.size() < 2) return false;
    const char first = text.front();
    const char last = text.back();
    return (first == '[' && last == ']') || (first == '{' && last == '}') || (first == '"' && last == '"') ||
           (first == '\'' && last == '\'');
}

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string as_written(const Assignment& assignment) {
    if (assignment.flag.find_first_of(" =") != std::string::npos) return assignment.flag;
    if (assignment.flag == "--set") return fmt::format("--set {}={}", assignment.path, assignment.value);
    return fmt::format("{} {}", assignment.flag, assignment.value);
}

}  // namespace

Input Input::file(std::string name, std::string_view text) {
    Input input;
    input.source_ = std::move(name);
    input.text_ = normalised(text);
    return input;
}

Input Input::variable(std::string_view name, std::string value) {
    Input input;
    input.source_ = "environment";
    input.whole_ = fmt::format("{}={}", name, value);
    input.from_ = name;
    input.text_ = trimmed(value);
    return input;
}

Input Input::flag(const Assignment& assignment) {
    Input input;
    input.source_ = assignment.flag.substr(0, assignment.flag.find_first_of(" ="));
    input.whole_ = as_written(assignment);
    input.from_ = input.source_;
    input.text_ = trimmed(assignment.value);
    return input;
}

Document Input::value() const {
    if (is_enclosed(text_)) return parse_document(text_);
    Document document;
    document.root.place = {1, 1, 0};
    if (text_.empty() || text_ == "~") return document;
    document.root.kind = Kind::scalar;
    document.root.plain = true;
    document.root.text = text_;
    return document;
}

std::string Input::origin(const Place& place) const {
    return whole_.empty() ? fmt::format("{}:{}", source_, place.line) : from_;
}

Place Input::find(std::string_view part, const Place& from) const {
    const size_t offset = text_.find(part, from.offset);
    if (offset == std::string::npos) return from;
    const std::string_view between = std::string_view(text_).substr(from.offset, offset - from.offset);
    const size_t line_start = between.rfind('\n');
    if (line_start == std::string_view::npos)
        return {from.line, from.column + count_characters(between), offset};
    const auto lines = static_cast<size_t>(std::count(between.begin(), between.end(), '\n'));
    return {from.line + lines, count_characters(between.substr(line_start + 1)) + 1, offset};
}

Diagnostic Input::diagnose(Severity severity, Wrong wrong) const {
    Diagnostic diagnostic;
    diagnostic.severity = severity;
    diagnostic.source = source_;
    diagnostic.quoted = whole_.substr(0, 2 * kKeptBeside);
    diagnostic.message = std::move(wrong.message);
    diagnostic.hint = std::move(wrong.hint);
    return diagnostic;
}

Diagnostic Input::diagnose(Severity severity, const Place& place, Wrong wrong) const {
    Diagnostic diagnostic = diagnose(severity, std::move(wrong));
    if (whole_.empty()) return at_line(std::move(diagnostic), place);
    const size_t start = whole_.size() < 2 * kKeptBeside ? whole_.rfind(text_) : std::string::npos;
    if (start != std::string::npos && place.line == 1) {
        diagnostic.column = count_characters(std::string_view(whole_).substr(0, start)) + place.column;
    }
    return diagnostic;
}

Diagnostic Input::at_line(Diagnostic diagnostic, const Place& place) const {
    diagnostic.line = place.line;
    diagnostic.column = place.column;
    // Only what is shown is looked at: a file can be one line of a megabyte with a mistake in every word.
    const std::string_view text = text_;
    const size_t offset = std::min(place.offset, text.size());
    const size_t earliest = offset - std::min(offset, kKeptBeside);
    size_t start = text.substr(earliest, offset - earliest).rfind('\n');
    start = start == std::string_view::npos ? earliest : earliest + start + 1;
    while (start < offset && is_continuation(text[start])) ++start;
    size_t end = offset + std::min(text.substr(offset, kKeptBeside).find('\n'),
                                   std::min(kKeptBeside, text.size() - offset));
    while (end > offset && end < text.size() && is_continuation(text[end])) --end;
    const size_t before = count_characters(text.substr(start, offset - start));
    diagnostic.cut = place.column - 1 - std::min(place.column - 1, before);
    diagnostic.quoted = text.substr(start, end - start);
    return diagnostic;
}

}  // namespace weir::config
