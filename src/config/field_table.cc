#include "config/field_table.h"

namespace weir::config {

std::string_view parent_of(std::string_view path) {
    const size_t dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view name_of(std::string_view path) {
    const size_t dot = path.rfind('.');
    std::string_view name = dot == std::string_view::npos ? path : path.substr(dot + 1);
    if (name.ends_with("[]")) name.remove_suffix(2);
    return name;
}

std::string key_path(std::string_view path) {
    std::string key;
    for (const char c : path) {
        if (c != '[' && c != ']') key += c;
    }
    return key;
}

const Field* find_field(std::string_view scope, std::string_view name) {
    for (const Field& field : fields()) {
        if (name_of(field.path) == name && parent_of(field.path) == scope) return &field;
    }
    return nullptr;
}

const Field* find_field(std::string_view key_path_wanted) {
    for (const Field& field : fields()) {
        if (!is_in_list(field) && key_path(field.path) == key_path_wanted) return &field;
    }
    return nullptr;
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

bool is_in_list(const Field& field) { return field.path.find("[].") != std::string_view::npos; }

}  // namespace weir::config
