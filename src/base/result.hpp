// How every fallible function answers: a value or an Error that says what the engine may do next.
// Part of base/; knows nothing else. Values and errors are plain data, safe to move across threads.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/error_code.hpp"

namespace leat {

// What may be done about a failure. The engine switches on it in exactly one function
// (pipeline/policy); nobody else decides about retries.
enum class Fault {
    retry,      // passing trouble: the same call may succeed later
    uncertain,  // the outcome of a commit is unknown: reopen and compare before anything else
    poison,     // this row only can never succeed
    config,     // the configuration or the environment is wrong: refuse to start
    fatal,      // stop and keep the data: a person must look
};

// `what`: lower case, what failed first, values last, never a row's values nor a secret.
// `hint`: one imperative sentence that leads on, or empty. `context`: where (table, file, step).
// `code`: under which name `leat explain` knows it.
struct Error {
    Fault fault = Fault::fatal;
    std::string what;
    std::string hint;
    std::string context;
    Code code = Code::none;
};

template <class T>
class [[nodiscard]] Result {
public:
    using Value = T;

    template <class U = T>
        requires(std::is_constructible_v<T, U &&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Result> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Error>)
    Result(U&& value)  // NOLINT: implicit on purpose, `return value;`
        : state_(std::in_place_index<0>, std::forward<U>(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    [[nodiscard]] auto has_value() const -> bool { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }
    auto value() & -> T& { return std::get<0>(state_); }
    auto value() const& -> const T& { return std::get<0>(state_); }
    auto value() && -> T { return std::get<0>(std::move(state_)); }
    auto operator*() & -> T& { return value(); }
    auto operator*() const& -> const T& { return value(); }
    auto operator*() && -> T { return std::get<0>(std::move(state_)); }
    auto operator->() -> T* { return &value(); }
    auto operator->() const -> const T* { return &value(); }
    auto error() & -> Error& { return std::get<1>(state_); }
    auto error() const& -> const Error& { return std::get<1>(state_); }
    auto error() && -> Error { return std::get<1>(std::move(state_)); }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT

    [[nodiscard]] auto has_value() const -> bool { return !failed_; }
    explicit operator bool() const { return has_value(); }
    auto value() const -> void {}
    auto error() & -> Error& { return error_; }
    auto error() const& -> const Error& { return error_; }
    auto error() && -> Error { return std::move(error_); }

private:
    bool failed_ = false;
    Error error_;
};

}  // namespace leat

#define LEAT_CONCAT_INNER(a, b) a##b
#define LEAT_CONCAT(a, b) LEAT_CONCAT_INNER(a, b)
#define LEAT_TRY(result, expr)                          \
    __extension__({                                     \
        auto result = (expr);                           \
        if (!result) return std::move(result).error();  \
        std::move(result).value();                      \
    })
// `auto x = TRY(expr);` leaves the function with the error, or yields the value.
#define TRY(expr) LEAT_TRY(LEAT_CONCAT(leat_try_, __COUNTER__), expr)
