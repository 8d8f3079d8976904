#include "ops/http_server.h"

#include <httplib.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/time.h"

namespace ff::ops {
namespace {
constexpr std::size_t threads = 2;  // a scraper and a prober
constexpr time_t patience_s = 2;    // with a slow client; bounds how long a stop takes
constexpr std::size_t request_bytes_max = 4096;
}  // namespace

struct HttpServer::Impl {
  httplib::Server server;
  std::thread thread;
  int port = 0;

  ~Impl() {
    server.stop();
    if (thread.joinable()) thread.join();
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const { return impl_->port; }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, const Health& health,
                                                      const Metrics& metrics) {
  auto impl = std::make_unique<Impl>();
  httplib::Server& server = impl->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
  // Without it httplib shares the port with whoever has it (SO_REUSEPORT) instead of saying that it is taken.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.set_keep_alive_max_count(1);
  server.set_keep_alive_timeout(patience_s);  // also the wait for a connection's first byte
  server.set_read_timeout(patience_s);
  server.set_write_timeout(patience_s);
  server.set_payload_max_length(request_bytes_max);
  server.Get("/healthz",
             [](const httplib::Request&, httplib::Response& out) { out.set_content("ok\n", "text/plain"); });
  server.Get("/readyz", [&health](const httplib::Request&, httplib::Response& out) {
    const Readiness readiness = health.readiness(now_micros());
    out.status = readiness.obstacles.empty() ? 200 : 503;
    out.set_content(readiness.json(), "application/json");
  });
  server.Get("/metrics", [&metrics](const httplib::Request&, httplib::Response& out) {
    out.set_content(metrics.scrape(now_micros()), "text/plain; version=0.0.4; charset=utf-8");
  });
  errno = 0;
  impl->port = options.port == 0                                 ? server.bind_to_any_port(options.host)
               : server.bind_to_port(options.host, options.port) ? options.port
                                                                 : -1;
  if (impl->port <= 0)
    return Error{Recourse::halt, "http_unusable",
                 "cannot listen at " + options.host + ":" + std::to_string(options.port) + ": " + std::strerror(errno) +
                     "; set http.listen"};
  impl->thread = std::thread([&server] { server.listen_after_bind(); });
  // stop() before this would be lost.
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace ff::ops
