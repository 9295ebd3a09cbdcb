#include "config/field_table.h"

#include <algorithm>
#include <unordered_map>

namespace weir::config {
namespace {

std::string_view without_brackets(std::string_view path) {
    if (path.ends_with("[]") || path.ends_with("{}")) path.remove_suffix(2);
    return path;
}

/// Where the name of the outermost list or map in `path` ends; npos where there is none around it.
size_t end_of_outermost(std::string_view path) { return std::min(path.find("[]."), path.find("{}.")); }

using Index = std::unordered_map<std::string_view, const Field*>;

/// By path, without the brackets at its end.
const Index& index() {
    static const Index all = [] {
        Index made;
        for (const Field& field : fields()) made.emplace(without_brackets(field.path), &field);
        return made;
    }();
    return all;
}

}  // namespace

std::string_view parent_of(std::string_view path) {
    const size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view name_of(std::string_view path) {
    const size_t dot = path.rfind('.');
    return without_brackets(dot == std::string_view::npos ? path : path.substr(dot + 1));
}

std::string key_path(std::string_view path) {
    std::string key;
    for (const char c : path) {
        if (std::string_view("[]{}").find(c) == std::string_view::npos) key += c;
    }
    return key;
}

const Field* find_field(std::string_view scope, std::string_view name) {
    if (name.find('.') != std::string_view::npos) return nullptr;
    std::string path(scope);
    if (!path.empty()) path += '.';
    const auto found = index().find(path += name);
    return found == index().end() ? nullptr : found->second;
}

const Field* find_field(std::string_view key_path_wanted) {
    const auto found = index().find(key_path_wanted);
    return found == index().end() || is_in_list(*found->second) ? nullptr : found->second;
}

std::string variable_name(const Field& field) {
    std::string name = "WEIR_";
    for (const char c : key_path(field.path)) {
        if (c == '.') {
            name += '_';
        } else {
            name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return name;
}

bool is_in_list(const Field& field) { return end_of_outermost(field.path) != std::string_view::npos; }

const Field& outermost(const Field& field) {
    return is_in_list(field) ? *index().at(field.path.substr(0, end_of_outermost(field.path))) : field;
}

}  // namespace weir::config
