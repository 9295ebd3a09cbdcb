// Writes bytes one behind the other into memory whose size the caller has made sure of.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "http/message.h"

namespace weir::http {

class Out {
  public:
    explicit Out(char* begin) : begin_(begin), at_(begin) {}

    void text(std::string_view bytes) {
        // memcpy of nothing from nowhere is undefined, and an empty view may well point nowhere.
        if (bytes.empty()) return;
        std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
    }

    void number(uint64_t value) {
        constexpr size_t kMaxDigits = 20;
        at_ = std::to_chars(at_, at_ + kMaxDigits, value).ptr;
    }

    void line_end() { text("\r\n"); }

    void field(std::string_view name, std::string_view value) {
        text(name);
        text(": ");
        text(value);
        line_end();
    }

    void field(const Field& field) {
        // Most lines stood in the head exactly as they are written, and one copy is cheaper than three.
        const char* const name_end = field.name.data() + field.name.size();
        if (field.value.data() == name_end + 2 && name_end[0] == ':' && name_end[1] == ' ') {
            text({field.name.data(), field.name.size() + 2 + field.value.size()});
            line_end();
            return;
        }
        this->field(field.name, field.value);
    }

    [[nodiscard]] size_t size() const { return static_cast<size_t>(at_ - begin_); }

  private:
    char* begin_;
    char* at_;
};

/// What field() writes beside name and value.
inline constexpr size_t kFieldOverhead = 4;

}  // namespace weir::http
