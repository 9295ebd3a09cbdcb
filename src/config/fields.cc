// The table, whole: in the order of conf/weir.yaml.
#include <vector>

#include "config/field_rows.h"

namespace weir::config {

std::span<const Field> fields() {
    static const std::vector<Field> all = [] {
        std::vector<Field> rows;
        for (const auto part :
             {service_rows(), upstream_rows(), limit_rows(), answer_rows(), route_rows(), shadow_rows()})
            rows.insert(rows.end(), part.begin(), part.end());
        return rows;
    }();
    return all;
}

}  // namespace weir::config
