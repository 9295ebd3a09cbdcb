#include "policy/method_list.h"

#include <algorithm>

namespace weir::policy {
namespace {

bool lists(const std::vector<std::string>& methods, std::string_view method) {
    return std::find(methods.begin(), methods.end(), method) != methods.end();
}

}  // namespace

bool takes_method(const std::vector<std::string>& methods, std::string_view method) {
    return methods.empty() || lists(methods, method) || (method == "HEAD" && lists(methods, "GET"));
}

std::string allow_value(const std::vector<std::string>& methods) {
    std::string all;
    for (const std::string& method : methods) {
        if (!all.empty()) all += ", ";
        all += method;
        if (method == "GET" && !lists(methods, "HEAD")) all += ", HEAD";
    }
    return all;
}

}  // namespace weir::policy
