/// Result<T>: a value, or an error named after what the caller does next.
///
/// An outcome of *data* is no error (a late event, a refused record: values of their own). An *operation* that can fail
/// returns Result, and its error carries a Recourse, a stable cause word (metric label; what tests assert) and a message
/// for a person that names the thing, its value and the knob to turn. Exceptions never cross a folder: the adapter that
/// calls a throwing library catches them there. Broken invariants stop the program with FF_CHECK, in release too.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ff {

enum class Recourse : std::uint8_t {
  retry,       ///< Nothing happened; the same call may work later.
  quarantine,  ///< This input will never work; park it with its reason and go on.
  reconcile,   ///< It may have happened; look before you act.
  halt,        ///< We no longer trust our own state or configuration; stop and page.
};

constexpr std::string_view name(Recourse r) {
  constexpr std::string_view names[] = {"retry", "quarantine", "reconcile", "halt"};
  return names[static_cast<int>(r)];
}

struct Error {
  Recourse recourse = Recourse::halt;
  std::string cause;    ///< stable word, e.g. "disk_full"
  std::string message;  ///< for a person
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return held_.index() == 0; }
  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  Error& error() & { return std::get<1>(held_); }
  const Error& error() const& { return std::get<1>(held_); }

 private:
  std::variant<T, Error> held_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  void value() const {}
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }

 private:
  std::optional<Error> error_;
};

[[noreturn]] inline void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "fleetflow: broken invariant: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace ff

/// The value of a Result, or return its error from the enclosing function.
#define FF_TRY(expression)                                 \
  __extension__({                                          \
    auto ff_try_result = (expression);                     \
    if (!ff_try_result.ok()) return ff_try_result.error(); \
    std::move(ff_try_result).value();                      \
  })

/// An invariant of our own code; never of a user's input.
#define FF_CHECK(condition) ((condition) ? void() : ::ff::check_failed(#condition, __FILE__, __LINE__))
