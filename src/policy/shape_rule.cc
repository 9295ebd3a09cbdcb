#include "policy/shape_rule.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "config/words.h"
#include "policy/method_list.h"

namespace weir::policy {
namespace {

using Texts = std::vector<std::string>;

std::string joined(const Texts& texts) {
    std::string all;
    for (const std::string& text : texts) {
        if (!all.empty()) all += ", ";
        all += text;
    }
    return all;
}

/// "type/subtype" of a Content-Type in lower case; empty where it is malformed (RFC 9110, 8.3.1).
std::string media_type_of(std::string_view content_type) {
    const std::string_view essence = content_type.substr(0, content_type.find(';'));
    const std::string_view type = essence.substr(0, essence.find_last_not_of(" \t") + 1);
    const size_t slash = type.find('/');
    const bool is_sound = slash != std::string_view::npos && config::is_token(type.substr(0, slash)) &&
                          config::is_token(type.substr(slash + 1));
    return is_sound ? config::lower_case(type) : std::string();
}

bool takes_type(std::string_view wanted, std::string_view type) {
    if (!wanted.ends_with("/*")) return type == wanted;
    return type.starts_with(wanted.substr(0, wanted.size() - 1));
}

bool takes_body(const Texts& types, const RequestOutline& request) {
    const bool is_repeated = request.field("content-type", 1).data() != nullptr;
    const std::string type = media_type_of(request.field("content-type", 0));
    return !is_repeated && !type.empty() && std::any_of(types.begin(), types.end(), [&](const auto& wanted) {
        return takes_type(wanted, type);
    });
}

}  // namespace

std::optional<Misfit> check_shape(const config::Route& route, const RequestOutline& request) {
    if (!takes_method(route.methods, request.method)) {
        return Misfit{Misfit::Kind::method, "the methods allowed here: " + allow_value(route.methods)};
    }
    const Texts& types = route.content_types;
    if (request.has_body && !types.empty() && !takes_body(types, request)) {
        return Misfit{Misfit::Kind::body_type, "a body has to be declared as one of: " + joined(types)};
    }
    return std::nullopt;
}

}  // namespace weir::policy
