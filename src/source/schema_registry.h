/// Schemas by number from a registry that speaks Confluent's HTTP API, asked once and kept; and schemas of our own for it.
///
/// A number never changes its schema, so an answer is good for ever; that there is none is asked again by whoever wants to
/// know. Thread-safe; one connection, kept open. The password stands in no message.
/// Source: Confluent Schema Registry API, GET /schemas/ids/{id}, POST /subjects/{subject}/versions.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "decode/decoder.h"

namespace ff {

class SchemaRegistry final : public SchemaSource {
 public:
  struct Options {
    std::string url;             ///< what comes before /schemas/ids/...
    std::string user, password;  ///< HTTP basic; empty: none
    std::string ca;              ///< PEM file for https; empty: the system's
    long timeout_ms = 2000;
    long away_ms = 3000;  ///< after a question without answer: how long others get the same error at once
  };
  explicit SchemaRegistry(Options options);
  ~SchemaRegistry() override;

  /// Errors: retry `schema_registry_away` (no answer, or a 5xx or 429); halt `schema_registry_denied` (401, 403);
  /// quarantine `unusable_schema` (not Avro, or one that refers to others).
  Result<std::optional<std::string>> schema(std::uint32_t id) override;

  /// The number of an Avro schema under a subject (of letters, digits, `.`, `_`, `-`), where it is registered if it was not.
  /// Errors: retry and halt as above; halt `schema_registry_refused` (not compatible with the subject's versions).
  Result<std::uint32_t> register_schema(const std::string& subject, std::string_view schema);

 private:
  struct Answer {
    long status = 0;
    std::string body;
  };
  /// GET, or POST of `body`.
  Result<Answer> call(const std::string& url, const std::string* body = nullptr);
  static Error away(const Answer& answer, const std::string& url);
  Result<std::optional<std::string>> ask(std::uint32_t id);

  Options options_;
  std::mutex mutex_;
  std::map<std::uint32_t, std::string> known_;
  std::optional<Error> away_;
  std::chrono::steady_clock::time_point away_until_;
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace ff
