#include "config/load.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/complete.h"
#include "config/cross_check.h"
#include "config/decoder.h"
#include "config/draft.h"
#include "config/expand.h"
#include "config/findings.h"
#include "config/nearest.h"
#include "config/text.h"

namespace weir::config {
namespace {

constexpr std::string_view kReservedPrefix = "WEIR_TEST_";

void report_all(Draft& draft, const Input& input, const std::vector<Mistake>& mistakes) {
    for (const Mistake& mistake : mistakes) {
        draft.reports.add(input.diagnose(Severity::error, mistake.place, {mistake.message, mistake.hint}));
    }
}

void read_file(Draft& draft, const Input& file, const Environment& environment) {
    Document document = parse_document(file.text());
    report_all(draft, file, document.mistakes);
    if (!document.complete) {
        // What follows the mistake is unknown, so the rest of the file would be judged wrongly.
        draft.is_complete = false;
        return;
    }
    std::vector<Mistake> mistakes;
    expand(document.root, environment, mistakes);
    report_all(draft, file, mistakes);
    Decoder(draft, file).decode_root(document.root);
}

void read_value(Draft& draft, const Input& input, const Field& field) {
    const Document document = input.value();
    report_all(draft, input, document.mistakes);
    if (document.complete) {
        Decoder(draft, input).decode_field(field, document.root, document.root.place);
    } else {
        draft.is_complete = false;
    }
}

std::string nearest_variable(std::string_view name) {
    std::vector<std::string> known;
    for (const Field& field : fields()) {
        if (!is_in_list(field)) known.push_back(variable_name(field));
    }
    const std::string near = nearest(name, known);
    return near.empty() ? "names are made of the key: WEIR_TIMEOUT_TOTAL sets `timeout.total`"
                        : fmt::format("did you mean `{}`?", near);
}

/// Only a warning: container platforms set variables of this form for every service they know.
void warn_of_unknown(Draft& draft, const std::string& name) {
    const bool is_known = std::any_of(fields().begin(), fields().end(), [&](const Field& field) {
        return !is_in_list(field) && variable_name(field) == name;
    });
    if (is_known || name.starts_with(kReservedPrefix)) return;
    Diagnostic warning;
    warning.severity = Severity::warning;
    warning.source = "environment";
    warning.message = fmt::format("the variable {} belongs to no key", quoted(name));
    warning.hint = nearest_variable(name);
    draft.reports.add(std::move(warning));
}

/// In the order of the table, so that WEIR_TIMEOUT_TOTAL wins over WEIR_TIMEOUT however the environment is
/// sorted.
void read_variables(Draft& draft, const Sources& sources) {
    for (const Field& field : fields()) {
        const std::string name = variable_name(field);
        const auto found = std::find(sources.overrides.begin(), sources.overrides.end(), name);
        if (is_in_list(field) || found == sources.overrides.end() || !sources.environment) continue;
        std::optional<std::string> value = sources.environment(name);
        if (value) read_value(draft, draft.add(Input::variable(name, std::move(*value))), field);
    }
    for (const std::string& name : sources.overrides) warn_of_unknown(draft, name);
}

/// As the key would be written if it could be reached: `listen.0.address` and `listen[0].address` mean
/// `listen.address`.
std::string without_indices(std::string_view path) {
    std::string key;
    for (size_t begin = 0; begin <= path.size();) {
        const size_t end = std::min(path.find('.', begin), path.size());
        std::string_view part = path.substr(begin, end - begin);
        part = part.substr(0, part.find('['));
        const bool is_index = part.find_first_not_of("0123456789") == std::string_view::npos;
        if (!is_index) key.append(key.empty() ? "" : ".").append(part);
        begin = end + 1;
    }
    return key;
}

/// The list around a key as one argument for a shell: `listen[].tls[].key` gives
/// 'listen=[{tls: [{key: ...}]}]'.
std::string whole_list(std::string_view path) {
    constexpr std::string_view kList = "[]";
    constexpr std::string_view kMap = "{}";
    const size_t list = path.find(kList);
    std::string text = fmt::format("'{}=[{{", path.substr(0, list));
    std::string closing = "}]'";
    path.remove_prefix(list + kList.size() + 1);
    while (true) {
        const size_t dot = path.find('.');
        const std::string_view part = path.substr(0, dot);
        text.append(name_of(part)).append(": ");
        if (dot == std::string_view::npos) return text + "..." + closing;
        const bool is_list = part.ends_with(kList);
        const bool is_map = part.ends_with(kMap);
        text += is_list ? "[{" : is_map ? "{NAME: {" : "{";
        closing.insert(0, is_list ? "}]" : is_map ? "}}" : "}");
        path.remove_prefix(dot + 1);
    }
}

void report_unknown(Draft& draft, const Input& flag, const std::string& path) {
    std::string hint;
    for (const Field& field : fields()) {
        if (is_in_list(field) && key_path(field.path) == without_indices(path))
            hint = fmt::format("a list is set as a whole: `--set {}`", whole_list(field.path));
    }
    std::vector<std::string> known;
    for (const Field& field : fields()) {
        if (!is_in_list(field)) known.push_back(key_path(field.path));
    }
    const std::string near = nearest(path, known);
    if (hint.empty() && !near.empty()) hint = fmt::format("did you mean `{}`?", near);
    if (hint.empty()) {
        const std::string scope(parent_of(path));
        const Field* section = find_field(scope);
        hint = suggest(section == nullptr ? std::string_view{} : section->path, name_of(path));
    }
    draft.reports.add(flag.diagnose(Severity::error, {fmt::format("unknown key {}", quoted(path)), hint}));
}

void read_flags(Draft& draft, const std::vector<Assignment>& flags) {
    for (const Assignment& assignment : flags) {
        const Input& flag = draft.add(Input::flag(assignment));
        const Field* field = find_field(assignment.path);
        if (field != nullptr) {
            read_value(draft, flag, *field);
        } else {
            report_unknown(draft, flag, assignment.path);
        }
    }
}

Input file_input(const Sources& sources) {
    if (sources.file_name.empty()) return Input::file("configuration", {});
    const bool fits = sources.file_text.size() <= kMaxConfigBytes;
    return Input::file(sources.file_name, fits ? std::string_view(sources.file_text) : std::string_view{});
}

}  // namespace

Result<Loaded, std::vector<Diagnostic>> load(const Sources& sources) {
    Draft draft;
    const Input& file = draft.add(file_input(sources));
    if (!sources.file_name.empty() && sources.file_text.size() > kMaxConfigBytes) {
        draft.is_complete = false;
        draft.reports.add(file.diagnose(Severity::error, {"the file is larger than 1MiB", {}}));
    }
    read_file(draft, file, sources.environment);
    read_variables(draft, sources);
    read_flags(draft, sources.flags);
    if (draft.is_complete) {
        complete(draft);
        cross_check(draft, file);
    }
    if (sources.inspect && !draft.reports.has_errors()) {
        Findings findings(draft, file);
        sources.inspect(findings);
    }

    std::vector<Diagnostic> diagnostics = draft.reports.in_order();
    if (draft.reports.has_errors()) return fail(std::move(diagnostics));
    return Loaded{std::move(draft.settings), draft.origins(), std::move(diagnostics)};
}

}  // namespace weir::config
