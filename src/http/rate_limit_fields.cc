#include "http/rate_limit_fields.h"

#include <algorithm>

#include "http/out.h"
#include "http/structured_field.h"

namespace weir::http {
namespace {

using std::chrono::seconds;

constexpr std::string_view kLimit = "X-RateLimit-Limit";
constexpr std::string_view kRemaining = "X-RateLimit-Remaining";
constexpr std::string_view kReset = "X-RateLimit-Reset";
constexpr size_t kMaxDigits = 20;

int64_t whole_seconds(Duration time) {
    return std::max<int64_t>(0, std::chrono::ceil<seconds>(time).count());
}

size_t policy_bound(const RateLimitPolicy& policy) {
    return kSfSeparator.size() + sf_string_bound(policy.name.size()) + sf_parameter_bound("q") +
           sf_parameter_bound("w");
}

bool is_whole_seconds(Duration window) {
    return window >= seconds(1) && window % seconds(1) == Duration::zero();
}

/// Adds fields whose values stand one behind the other in a buffer.
class FieldAdder {
  public:
    FieldAdder(char* buffer, std::vector<Field>& fields) : begin_(buffer), at_(buffer), fields_(fields) {}

    void number(std::string_view name, uint64_t value) {
        Out out(at_);
        out.number(value);
        add(name, out.size());
    }

    void state(const RateLimitState& state) {
        SfListWriter list(at_);
        list.string(state.name);
        list.parameter("r", state.remaining);
        list.parameter("t", whole_seconds(state.reset));
        add("RateLimit", list.size());
    }

    [[nodiscard]] size_t size() const { return static_cast<size_t>(at_ - begin_); }

  private:
    void add(std::string_view name, size_t size) {
        fields_.push_back({.name = name, .value = {at_, size}});
        at_ += size;
    }

    char* begin_;
    char* at_;
    std::vector<Field>& fields_;
};

}  // namespace

std::string rate_limit_policies(std::span<const RateLimitPolicy> policies) {
    size_t bound = 0;
    for (const RateLimitPolicy& policy : policies) bound += policy_bound(policy);
    std::string value(bound, '\0');
    SfListWriter list(value.data());
    for (const RateLimitPolicy& policy : policies) {
        list.string(policy.name);
        list.parameter("q", policy.quota);
        if (is_whole_seconds(policy.window)) list.parameter("w", policy.window / seconds(1));
    }
    value.resize(list.size());
    return value;
}

bool is_nearer_to_its_end(const RateLimitState& state, const RateLimitState& than) {
    const uint32_t left = state.remaining / state.cost;
    const uint32_t left_of_other = than.remaining / than.cost;
    return left != left_of_other ? left < left_of_other : state.reset > than.reset;
}

size_t rate_limit_bound(const RateLimitAnswer& answer) {
    return sf_string_bound(answer.nearest.name.size()) + sf_parameter_bound("r") + sf_parameter_bound("t") +
           3 * kMaxDigits;
}

size_t add_rate_limit_fields(const RateLimitAnswer& answer, char* buffer, std::vector<Field>& fields) {
    FieldAdder adder(buffer, fields);
    if (answer.form != RateLimitForm::legacy) {
        if (!answer.policies.empty())
            fields.push_back({.name = "RateLimit-Policy", .value = answer.policies});
        adder.state(answer.nearest);
    }
    if (answer.form != RateLimitForm::draft) {
        adder.number(kLimit, answer.nearest.quota);
        adder.number(kRemaining, answer.nearest.remaining);
        adder.number(kReset, static_cast<uint64_t>(whole_seconds(answer.nearest.reset)));
    }
    return adder.size();
}

bool is_legacy_rate_limit(std::string_view name) {
    return equals_ignoring_case(name, kLimit) || equals_ignoring_case(name, kRemaining) ||
           equals_ignoring_case(name, kReset);
}

}  // namespace weir::http
