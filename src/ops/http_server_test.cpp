// A server that runs, asked as a scraper and a prober ask it. docs/metrics.md is the golden list.
#include "ops/http_server.h"

#include <httplib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <thread>

#include "decode/decode_testing.h"
#include "ops/metric_list.h"
#include "ops/ops_testing.h"

namespace ff::ops {
namespace {

using namespace ff::testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Service {
  Metrics metrics;
  Health health{1h};
  std::unique_ptr<HttpServer> server = HttpServer::start({.port = 0}, health, metrics).value();
  httplib::Client client{"127.0.0.1", server->port()};

  void turn(const CommitReport& report) {
    metrics.observe(report);
    health.observe(report, now_micros());
  }
};

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> out;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) out.insert((*at)[1]);
  return out;
}

TEST(HttpServer, ShowsExactlyTheMetricsOfTheDocumentation) {
  Service service;
  service.health.lake_opened(now_micros());
  service.turn(eventful_turn());
  service.metrics.observe("scans", busy_cluster());
  service.metrics.observe("orders", busy_publisher(), noon);
  const auto answer = service.client.Get("/metrics");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  const std::string documented = read_file(repository() / "docs/metrics.md");
  const auto golden = all_matches(documented, "\n\\| `([a-z0-9_]+)`");
  EXPECT_GT(golden.size(), 20u);
  EXPECT_EQ(all_matches(answer->body, "# TYPE ([a-z0-9_]+) "), golden);
  EXPECT_EQ(documented, metric_page()) << "docs/metrics.md is not the list; `fleetflow metrics > docs/metrics.md`";
}

TEST(HttpServer, IsAliveAtOnceAndReadyWhenItCanWork) {
  Service service;
  EXPECT_EQ(service.client.Get("/healthz")->status, 200);
  const auto early = service.client.Get("/readyz");
  EXPECT_EQ(early->status, 503);
  EXPECT_THAT(early->body, HasSubstr("lake_not_open"));
  service.health.lake_opened(now_micros());
  service.turn(eventful_turn());
  EXPECT_EQ(service.client.Get("/readyz")->status, 200);
  EXPECT_EQ(service.client.Get("/")->status, 404);
  EXPECT_EQ(service.client.Post("/metrics", "x", "text/plain")->status, 404);
}

TEST(HttpServer, SaysThatAPortIsTaken) {
  Service service;
  const auto second = HttpServer::start({.port = service.server->port()}, service.health, service.metrics);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().cause, "http_unusable");
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(service.server->port())));
}

TEST(HttpServer, AClientThatSaysNothingDoesNotKeepItFromStopping) {
  auto service = std::make_unique<Service>();
  const int port = service->server->port();
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(silent, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  std::this_thread::sleep_for(200ms);  // A thread of the server waits for its first byte by then.
  const auto start = std::chrono::steady_clock::now();
  service.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  ::close(silent);
}

}  // namespace
}  // namespace ff::ops
