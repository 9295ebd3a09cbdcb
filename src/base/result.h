// A value or the error that stood in its way, shaped like C++23's std::expected.
#pragma once

#include <cassert>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace weir {

/// Wraps an error on its way into a Result: `return fail(Error{...});`.
template <class E>
struct Failure {
    E error;
};

template <class E>
[[nodiscard]] Failure<std::decay_t<E>> fail(E&& error) {
    return {std::forward<E>(error)};
}

/// Holds exactly one of a T and an E. Reading the one it does not hold is a bug and asserts.
template <class T, class E = std::string>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    template <class F>
    Result(Failure<F> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

    [[nodiscard]] bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & { return assert(has_value()), std::get<0>(state_); }
    const T& value() const& { return assert(has_value()), std::get<0>(state_); }
    T&& value() && { return assert(has_value()), std::move(std::get<0>(state_)); }
    E& error() { return assert(!has_value()), std::get<1>(state_); }
    const E& error() const { return assert(!has_value()), std::get<1>(state_); }

    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

  private:
    std::variant<T, E> state_;
};

}  // namespace weir
