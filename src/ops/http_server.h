/// The service's door for machines: GET /healthz, /readyz, /metrics. Nothing else, and nothing is changed through it.
///
///   /healthz  200 "ok": the process lives and answers
///   /readyz   200 or 503, with Readiness as JSON
///   /metrics  Prometheus' text format
/// No password, no TLS: it listens where the configuration says, by default to this machine alone; it tells counts and
/// names of feeds, tables and sources, never a record.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "ops/health.h"
#include "ops/metrics.h"

namespace ff::ops {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 9464;  ///< 0: any that is free
};

class HttpServer {
 public:
  /// Answers on threads of its own until destroyed; `health` and `metrics` must outlive it.
  /// Error: halt 'http_unusable' (the address cannot be listened at).
  static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options, const Health& health,
                                                   const Metrics& metrics);
  ~HttpServer();
  int port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff::ops
