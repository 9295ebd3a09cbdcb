#include "config/decoder.h"

#include <algorithm>

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
    return paths.empty() ? std::string()
                         : fmt::format("{} exists as {}", quoted(name), fmt::join(paths, " and "));
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

void Decoder::decode_list(const Field& field, const Node& node, const Place& key) {
    if (node.kind == Kind::broken) return mark_failed(field);
    const bool is_empty = node.kind == Kind::nothing || (node.kind == Kind::list && node.items.empty());
    if (is_empty) return report(field, key, {"has no value", fmt::format("at least one is needed")});
    const bool is_list = node.kind == Kind::list;
    if (is_list && node.items.size() > field.list.most) {
        return report(field, node.items[field.list.most].place,
                      {fmt::format("has {} elements", node.items.size()),
                       fmt::format("allowed: 1 to {}", field.list.most)});
    }
    hold(field, node, key);
    field.list.clear(draft_.settings);
    for (size_t i = 0; i < (is_list ? node.items.size() : 1); ++i) {
        const Node& item = is_list ? node.items[i] : node;
        field.list.grow(draft_.settings);
        store_defaults(&field, draft_.settings);
        indices_.push_back(is_list ? std::optional(i) : std::nullopt);
        if (!is_in_list(field)) draft_.held(field).items.push_back(item.place);
        if (item.kind == Kind::list) {
            report(field, item.place, {"is a list within the list", {}});
        } else {
            decode_element(field, item, item.place);
        }
        indices_.pop_back();
    }
}

void Decoder::decode_element(const Field& field, const Node& node, const Place& key) {
    if (!field.is_section()) return decode_value(field, node, key);
    if (node.kind == Kind::broken) return mark_failed(field);
    if (node.kind == Kind::map) {
        decode_section(&field, node);
        return require_keys(field, node);
    }
    if (!field.shorthand.empty() && node.kind != Kind::nothing) {
        const Field* meant = find_field(field.path, field.shorthand);
        assert(meant != nullptr);
        return decode_field(*meant, node, key);
    }
    // A section whose keys are all commented out is an ordinary thing to write.
    if (node.kind == Kind::nothing && !field.is_list()) return;
    report(field, node.kind == Kind::nothing ? key : node.place,
           {fmt::format("takes a map of keys, not {}", what_it_is(node.kind)),
            fmt::format("known here: {}", fmt::join(names_below(field.path), ", "))});
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
    if (!value) return report(field, node.place, std::move(value.error()));
    hold(field, node, key);
    field.store(draft_.settings, *value);
}

void Decoder::require_keys(const Field& element, const Node& node) {
    if (!element.is_list()) return;
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
    draft_.reports.add(input_.diagnose(Severity::error, place, std::move(wrong)));
}

void Decoder::hold(const Field& field, const Node& node, const Place& place) {
    if (is_in_list(field) || (field.is_list() && !indices_.empty())) return;
    Held& held = draft_.held(field);
    const bool failed = held.failed;
    held = {&input_, place, node, {}, failed};
}

void Decoder::mark_failed(const Field& field) {
    const size_t list = field.path.find("[].");
    const Field* holder =
        list == std::string_view::npos ? &field : find_field(key_path(field.path.substr(0, list)));
    draft_.held(*holder).failed = true;
}

std::string Decoder::numbered_path(std::string_view path) const {
    std::string numbered;
    size_t depth = 0;
    for (size_t i = 0; i < path.size(); ++i) {
        if (path.substr(i).starts_with("[]")) {
            const std::optional<size_t> index = depth < indices_.size() ? indices_[depth] : std::nullopt;
            if (index) numbered += fmt::format("[{}]", *index);
            ++depth;
            ++i;
        } else {
            numbered += path[i];
        }
    }
    return numbered;
}

}  // namespace weir::config
