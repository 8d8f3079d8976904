#include "lake/sql_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <list>
#include <mutex>
#include <thread>

namespace ff {
namespace {

constexpr std::uint32_t null_length = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t request_bytes_max = 1u << 20;
constexpr int stop_check_ms = 100;

void put_number(std::string& out, std::size_t n) {
  const auto number = static_cast<std::uint32_t>(n);
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

std::string encode(const Table& table) {
  std::string out;
  put_number(out, table.columns.size());
  for (const auto& name : table.columns) put_text(out, name);
  put_number(out, table.rows.size());
  for (const auto& row : table.rows)
    for (const auto& cell : row) {
      if (cell)
        put_text(out, *cell);
      else
        put_number(out, null_length);
    }
  return out;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Reads exactly `count` bytes; gives up when the peer leaves or `stopping` is set.
bool receive_all(int socket, char* to, std::size_t count, const std::atomic<bool>* stopping) {
  while (count > 0) {
    pollfd waiting{socket, POLLIN, 0};
    const int ready = poll(&waiting, 1, stopping ? stop_check_ms : -1);
    if (stopping && stopping->load()) return false;
    if (ready <= 0) continue;
    const ssize_t n = recv(socket, to, count, 0);
    if (n <= 0) return false;
    to += n;
    count -= static_cast<std::size_t>(n);
  }
  return true;
}

bool receive_number(int socket, std::uint32_t& n, const std::atomic<bool>* stopping = nullptr) {
  return receive_all(socket, reinterpret_cast<char*>(&n), sizeof n, stopping);
}

bool receive_text(int socket, std::string& text, std::uint32_t size, const std::atomic<bool>* stopping = nullptr) {
  text.resize(size);
  return receive_all(socket, text.data(), size, stopping);
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{Recourse::halt, "socket_unusable",
                 "the path " + path + " is too long for a socket (at most " +
                     std::to_string(sizeof address.sun_path - 1) + " bytes); use a shorter --lake"};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

struct SqlSocket::Impl {
  std::string path;
  int listener = -1;
  std::unique_ptr<Lake> lake;
  std::atomic<bool> stopping = false;
  std::thread thread;

  ~Impl() {
    stopping = true;
    if (thread.joinable()) thread.join();
    if (listener >= 0) close(listener);
    unlink(path.c_str());
  }

  /// One connection at a time: askers wait for each other, never for the engine's writing.
  void serve() {
    while (!stopping) {
      pollfd waiting{listener, POLLIN, 0};
      if (poll(&waiting, 1, stop_check_ms) <= 0) continue;
      const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      while (answer(socket)) {}
      close(socket);
    }
  }

  bool answer(int socket) {
    std::uint32_t size = 0;
    std::string sql;
    if (!receive_number(socket, size, &stopping) || size > request_bytes_max ||
        !receive_text(socket, sql, size, &stopping))
      return false;
    std::string out;
    const auto result = read(sql);
    out += result.ok() ? '\0' : '\1';
    if (result.ok())
      out += encode(result.value());
    else
      put_text(out, result.error().message);
    return send_all(socket, out);
  }

  Result<Table> read(const std::string& sql) {
    FF_TRY(lake->run("begin transaction read only"));
    auto result = lake->query_one(sql);
    lake->rollback();
    return result;
  }
};

SqlSocket::SqlSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqlSocket::~SqlSocket() = default;

Result<std::unique_ptr<SqlSocket>> SqlSocket::serve(Lake& lake, const std::string& path) {
  auto impl = std::make_unique<Impl>();
  const sockaddr_un address = FF_TRY(address_of(path));
  impl->path = path;
  impl->lake = FF_TRY(lake.connect());
  impl->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unlink(path.c_str());
  const mode_t before = umask(0177);
  const bool bound = impl->listener >= 0 &&
                     bind(impl->listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     listen(impl->listener, 8) == 0;
  umask(before);
  if (!bound) return Error{Recourse::halt, "socket_unusable", "cannot listen at " + path + ": " + std::strerror(errno)};
  impl->thread = std::thread([i = impl.get()] { i->serve(); });
  return std::unique_ptr<SqlSocket>(new SqlSocket(std::move(impl)));
}

Result<std::unique_ptr<SqlClient>> SqlClient::connect(const std::string& path) {
  const sockaddr_un address = FF_TRY(address_of(path));
  std::unique_ptr<SqlClient> client(new SqlClient(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  if (client->socket_ < 0 ||
      ::connect(client->socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Error{Recourse::retry, "engine_absent", "no engine answers at " + path};
  return client;
}

SqlClient::~SqlClient() {
  if (socket_ >= 0) close(socket_);
}

Result<Table> SqlClient::query(const std::string& sql) {
  const Error gone{Recourse::retry, "engine_absent", "the engine went away while it was asked; ask again"};
  std::string request;
  put_text(request, sql);
  if (!send_all(socket_, request)) return gone;
  char failed = 0;
  std::uint32_t n = 0;
  std::string text;
  if (!receive_all(socket_, &failed, 1, nullptr)) return gone;
  if (failed) {
    if (!receive_number(socket_, n) || !receive_text(socket_, text, n)) return gone;
    return Error{Recourse::halt, "lake_error", text};
  }
  Table table;
  if (!receive_number(socket_, n)) return gone;
  table.columns.resize(n);
  for (auto& name : table.columns)
    if (!receive_number(socket_, n) || !receive_text(socket_, name, n)) return gone;
  if (!receive_number(socket_, n)) return gone;
  table.rows.resize(n);
  for (auto& row : table.rows) {
    row.resize(table.columns.size());
    for (auto& cell : row) {
      if (!receive_number(socket_, n)) return gone;
      if (n != null_length && !receive_text(socket_, cell.emplace(), n)) return gone;
    }
  }
  return table;
}

}  // namespace ff
