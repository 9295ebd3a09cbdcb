#include "config/decoder.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "config/nearest.h"
#include "config/text.h"
#include "config/value.h"

namespace weir::config {
namespace {

std::string_view what_it_is(Kind kind) {
    switch (kind) {
        case Kind::nothing: return "nothing";
        case Kind::scalar: return "a single value";
        case Kind::list: return "a list";
        case Kind::map: return "a map";
        case Kind::broken: return "something broken";
    }
    return {};
}

/// What people write for `~`.
bool means_nothing(std::string_view text) {
    constexpr std::string_view kWords[] = {"off", "none", "null", "no", "false", "disabled", "unlimited"};
    return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

std::vector<std::string> names_below(std::string_view scope) {
    std::vector<std::string> names;
    for (const Field& field : fields()) {
        if (parent_of(field.path) == scope) names.emplace_back(name_of(field.path));
    }
    return names;
}

std::string below(std::string_view scope, std::string_view name) {
    return scope.empty() ? std::string(name) : fmt::format("{}.{}", key_path(scope), name);
}

/// What stands before the first blank or colon: YAML takes `drain:5s` and `drain 5s` for one long key.
std::string_view first_word(std::string_view key) { return key.substr(0, key.find_first_of(" :")); }

std::string found_elsewhere(std::string_view name) {
    std::vector<std::string> paths;
    for (const Field& field : fields()) {
        if (name_of(field.path) == name) paths.push_back(fmt::format("`{}`", key_path(field.path)));
    }
    // The nearest to the top are what is meant most often.
    std::stable_sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
        return std::count(a.begin(), a.end(), '.') < std::count(b.begin(), b.end(), '.');
    });
    constexpr size_t kEnough = 3;
    if (paths.size() > kEnough) paths.resize(kEnough);
    return paths.empty() ? std::string()
                         : fmt::format("{} exists as {}", quoted(name), fmt::join(paths, " and "));
}

/// The key that a value in place of a section's map stands for; null where it stands for none.
const Field* meant_by(const Field& section, const Node& node) {
    if (section.shorthand.empty()) return nullptr;
    const Field* meant = find_field(section.path, section.shorthand);
    assert(meant != nullptr);
    const bool turns_off = meant->word == "~" && meant->fallback != "~";
    return node.kind != Kind::nothing || turns_off ? meant : nullptr;
}

/// `NAME: VALUE` or `NAME` where a map is expected.
Entry as_entry(const Node& scalar) {
    Entry entry{scalar.text, scalar.place, {}};
    entry.value.place = scalar.place;
    const size_t colon = scalar.text.find(':');
    if (colon == std::string::npos) return entry;
    entry.key.resize(colon);
    entry.value.kind = Kind::scalar;
    entry.value.text =
        scalar.text.substr(std::min(scalar.text.find_first_not_of(' ', colon + 1), scalar.text.size()));
    return entry;
}

}  // namespace

std::string suggest(std::string_view scope, std::string_view name) {
    const std::vector<std::string> names = names_below(scope);
    const std::string near = nearest(name, names);
    const std::string elsewhere = found_elsewhere(name);
    std::string hint = near.empty() ? std::string() : fmt::format("did you mean `{}`?", below(scope, near));
    if (!elsewhere.empty()) hint += (hint.empty() ? "" : " ") + elsewhere;
    return hint.empty() ? fmt::format("known here: {}", fmt::join(names, ", ")) : hint;
}

void Decoder::decode_root(const Node& root) {
    if (root.kind == Kind::map) return decode_section(nullptr, root);
    if (root.kind == Kind::broken) return;
    draft_.is_complete = false;
    draft_.reports.add(
        input_.diagnose(Severity::error, root.place,
                        {fmt::format("the file is {}, not a map of keys", what_it_is(root.kind)),
                         "write `key: value`, with a blank behind the colon, as in `listen: 0.0.0.0:8080`"}));
}

void Decoder::decode_field(const Field& field, const Node& node, const Place& key) {
    if (field.is_list()) {
        decode_list(field, node, key);
    } else if (field.is_map()) {
        decode_map(field, node, key);
    } else if (field.is_section()) {
        decode_element(field, node, key);
    } else {
        decode_value(field, node, key);
    }
}

void Decoder::decode_section(const Field* scope, const Node& node) {
    const std::string_view path = scope == nullptr ? std::string_view{} : scope->path;
    for (const Entry& entry : node.entries) {
        const Field* field = find_field(path, entry.key);
        if (field != nullptr) {
            decode_field(*field, entry.value, entry.place);
        } else {
            report_unknown(scope, entry);
        }
    }
}

bool Decoder::begin_elements(const Field& field, const Node& node, const Place& key) {
    const ListOf& list = field.list;
    if (node.kind == Kind::broken) {
        mark_failed(field);
        return false;
    }
    const bool is_nothing = node.kind == Kind::nothing;
    const bool is_word = list.on_word != nullptr && node.kind == Kind::scalar && node.text == list.word;
    const bool is_empty =
        is_nothing || (node.kind != Kind::scalar && node.items.empty() && node.entries.empty());
    const bool may_be_empty = list.least == 0 || (is_nothing && list.word == "~");
    if (is_empty && !may_be_empty) {
        report(field, key, {"has no value", "at least one is needed"});
        return false;
    }
    const size_t size = node.items.size() + node.entries.size();
    if (size > list.most && (node.kind == Kind::list) == field.is_list()) {
        const Place& place = field.is_list() ? node.items[list.most].place : node.entries[list.most].place;
        report(
            field, place,
            {fmt::format("has {} elements", size), fmt::format("allowed: {} to {}", list.least, list.most)});
        return false;
    }
    hold(field, node, key);
    list.clear(draft_.settings);
    if (is_word) list.on_word(draft_.settings);
    return !is_empty && !is_word;
}

void Decoder::decode_list(const Field& field, const Node& node, const Place& key) {
    if (!begin_elements(field, node, key)) return;
    const bool is_list = node.kind == Kind::list;
    for (size_t i = 0; i < (is_list ? node.items.size() : 1); ++i) {
        const Node& item = is_list ? node.items[i] : node;
        field.list.grow(draft_.settings);
        store_defaults(&field, draft_.settings);
        elements_.push_back({i, is_list ? fmt::format("[{}]", i) : std::string()});
        if (item.kind == Kind::list) {
            report(field, item.place, {"is a list within the list", {}});
        } else {
            decode_element(field, item, item.place);
        }
        elements_.pop_back();
    }
}

void Decoder::decode_map(const Field& field, const Node& node, const Place& key) {
    if (node.kind == Kind::list || (node.kind == Kind::scalar && field.is_section())) {
        return report(
            field, node.place,
            {fmt::format("takes a map of names, not {}", what_it_is(node.kind)), "write `{NAME: ...}`"});
    }
    if (!begin_elements(field, node, key)) return;
    if (node.kind == Kind::scalar) return decode_named(field, as_entry(node));
    for (const Entry& entry : node.entries) decode_named(field, entry);
}

void Decoder::decode_named(const Field& field, const Entry& entry) {
    field.list.grow(draft_.settings);
    store_defaults(&field, draft_.settings);
    elements_.push_back({0, fmt::format(".{}", printable(entry.key))});
    Result<Value, Wrong> name = parse_value(Field{.path = {}, .type = field.list.name_type}, entry.key);
    if (name) {
        field.list.set_name(draft_.settings, std::get<std::string>(*name));
    } else {
        report(field, entry.place, std::move(name.error()));
    }
    decode_element(field, entry.value, entry.place);
    elements_.pop_back();
}

void Decoder::decode_element(const Field& field, const Node& node, const Place& key) {
    if (!field.is_section()) return decode_value(field, node, key);
    if (node.kind == Kind::broken) return mark_failed(field);
    if (node.kind == Kind::map) {
        decode_section(&field, node);
        return require_keys(field, node);
    }
    if (const Field* meant = meant_by(field, node)) return decode_field(*meant, node, key);
    if (node.kind == Kind::nothing && field.word == "~") return reset_section(field);
    // A section whose keys are all commented out is an ordinary thing to write.
    if (node.kind == Kind::nothing && !field.is_list()) return;
    report(field, node.kind == Kind::nothing ? key : node.place,
           {fmt::format("takes a map of keys, not {}", what_it_is(node.kind)),
            fmt::format("known here: {}", fmt::join(names_below(field.path), ", "))});
}

void Decoder::reset_section(const Field& section) {
    const std::string prefix = fmt::format("{}.", section.path);
    for (const Field& field : fields()) {
        if (!field.path.starts_with(prefix) || is_in_list(field)) continue;
        store_default(field, draft_.settings);
        Held& held = draft_.held(field);
        held = {.failed = held.failed};
    }
}

void Decoder::decode_value(const Field& field, const Node& node, const Place& key) {
    if (node.kind == Kind::broken) return mark_failed(field);
    const bool takes_nothing = field.word == "~";
    if (node.kind == Kind::nothing && !takes_nothing) {
        const bool has_default = !field.fallback.empty();
        return report(field, key,
                      {fmt::format("has no value, and takes {}", what_it_takes(field)),
                       has_default ? fmt::format("remove the line for the default, `{}`", field.fallback)
                                   : std::string()});
    }
    if (node.kind == Kind::list || node.kind == Kind::map) {
        return report(field, node.place,
                      {fmt::format("takes {}, not {}", what_it_takes(field), what_it_is(node.kind)),
                       what_is_allowed(field)});
    }
    Result<Value, Wrong> value =
        node.kind == Kind::nothing ? Result<Value, Wrong>(Value{}) : parse_value(field, node.text);
    if (!value) {
        if (takes_nothing && means_nothing(node.text)) value.error().hint = "did you mean `~`?";
        return report(field, node.place, std::move(value.error()));
    }
    hold(field, node, key);
    field.store(draft_.settings, *value);
}

void Decoder::require_keys(const Field& element, const Node& node) {
    if (!element.has_elements()) return;
    for (const Field& field : fields()) {
        if (parent_of(field.path) != element.path || !field.fallback.empty() || field.is_section()) continue;
        // A misspelt key has been reported as such: it is not missing as well.
        const bool is_meant = std::any_of(node.entries.begin(), node.entries.end(), [&](const Entry& entry) {
            return nearest(entry.key, names_below(element.path)) == name_of(field.path);
        });
        if (!is_meant) {
            report(element, node.place,
                   {fmt::format("has no `{}`", name_of(field.path)),
                    fmt::format("it takes {}", what_it_takes(field))});
        }
    }
}

void Decoder::report_unknown(const Field* scope, const Entry& entry) {
    if (scope != nullptr) mark_failed(*scope);
    if (draft_.reports.is_full())
        return draft_.reports.add(input_.diagnose(Severity::error, entry.place, {"unknown key", {}}));
    const std::string_view path = scope == nullptr ? std::string_view{} : scope->path;
    // The key that was probably meant is not missing, only misspelt.
    const std::string_view name = entry.value.kind == Kind::nothing ? first_word(entry.key) : entry.key;
    const bool lacks_colon = name != entry.key && find_field(path, name) != nullptr;
    const Field* meant =
        find_field(path, lacks_colon ? std::string(name) : nearest(entry.key, names_below(path)));
    if (meant != nullptr) mark_failed(*meant);
    std::string hint = suggest(path, entry.key);
    if (lacks_colon) {
        const std::string_view rest = std::string_view(entry.key).substr(name.size() + 1);
        hint = fmt::format("did you mean {}?", quoted(fmt::format("{}: {}", name, rest)));
    }
    const std::string shown =
        scope == nullptr ? entry.key : fmt::format("{}.{}", numbered_path(path), entry.key);
    draft_.reports.add(input_.diagnose(Severity::error, entry.place,
                                       {fmt::format("unknown key {}", quoted(shown)), std::move(hint)}));
}

void Decoder::report(const Field& field, const Place& place, Wrong wrong) {
    mark_failed(field);
    const bool quotes_the_value = wrong.message.starts_with('`');
    wrong.message =
        fmt::format("`{}`{} {}", numbered_path(field.path), quotes_the_value ? ":" : "", wrong.message);
    const Place exact = wrong.culprit.empty() ? place : input_.find(wrong.culprit, place);
    draft_.reports.add(input_.diagnose(Severity::error, exact, std::move(wrong)));
}

void Decoder::hold(const Field& field, const Node& node, const Place& place) {
    if (is_in_list(field) || (field.has_elements() && !elements_.empty())) return;
    Held& held = draft_.held(field);
    held = {.input = &input_, .place = place, .node = node, .failed = held.failed};
}

void Decoder::mark_failed(const Field& field) {
    Held& held = draft_.held(outermost(field));
    held.failed = true;
    if (!elements_.empty()) held.failed_items.insert(elements_.front().index);
}

std::string Decoder::numbered_path(std::string_view path) const {
    std::string numbered;
    size_t depth = 0;
    for (size_t i = 0; i < path.size(); ++i) {
        const bool has_elements = path.substr(i).starts_with("[]") || path.substr(i).starts_with("{}");
        if (has_elements) {
            if (depth < elements_.size()) numbered += elements_[depth].shown;
            ++depth;
            ++i;
        } else {
            numbered += path[i];
        }
    }
    return numbered;
}

}  // namespace weir::config
