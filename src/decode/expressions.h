/// The contract's SQL expressions over a few thousand records at a time, by an in-memory DuckDB of our own.
///
/// Rows go in as text columns and come out as text columns followed by the expressions' results, in the same order. An
/// expression that fails on a record (a cast, say) is null for that record and harms no other.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "contract/contract.h"
#include "contract/judge.h"

namespace ff {

class Expressions {
 public:
  static constexpr std::size_t rows_max = 2048;  ///< DuckDB's vector

  /// Error: halt `contract_bad_expression`: the contract's file and line, and what DuckDB said.
  static Result<std::unique_ptr<Expressions>> make(const Contract& contract);
  virtual ~Expressions() = default;

  /// At most rows_max rows before evaluate(); the values are copied.
  virtual void add(Row row) = 0;
  virtual std::size_t size() const = 0;
  /// The rows added, completed; valid until the next call, and nothing is left to evaluate.
  virtual Result<const std::vector<std::vector<Value>>*> evaluate() = 0;
};

}  // namespace ff
