#include "source/schema_registry.h"

#include <curl/curl.h>
#include <simdjson.h>

#include "decode/json_text.h"

namespace ff {
namespace {

constexpr std::int64_t no_such_schema = 40403;
constexpr std::size_t answer_bytes_max = 4 << 20;

std::size_t keep(char* data, std::size_t, std::size_t size, void* to) {
  auto& answer = *static_cast<std::string*>(to);
  if (answer.size() + size > answer_bytes_max) return 0;  // curl then fails
  answer.append(data, size);
  return size;
}

}  // namespace

struct SchemaRegistry::Connection {
  CURL* curl = nullptr;

  Connection() {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    FF_CHECK(started == CURLE_OK);
    curl = curl_easy_init();
    FF_CHECK(curl != nullptr);
  }
  ~Connection() { curl_easy_cleanup(curl); }
  Connection(const Connection&) = delete;
};

SchemaRegistry::SchemaRegistry(Options options)
    : options_(std::move(options)), connection_(std::make_unique<Connection>()) {
  std::string& url = options_.url;
  while (!url.empty() && url.back() == '/') url.pop_back();
  // user:password@ in the address would stand in messages.
  const std::size_t host = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
  const std::size_t at = url.substr(0, url.find('/', host)).rfind('@');
  if (at == std::string::npos || at < host) return;
  const std::string who = url.substr(host, at - host);
  url.erase(host, at + 1 - host);
  options_.user = who.substr(0, who.find(':'));
  if (who.find(':') != std::string::npos) options_.password = who.substr(who.find(':') + 1);
}
SchemaRegistry::~SchemaRegistry() = default;

Result<std::optional<std::string>> SchemaRegistry::schema(std::uint32_t id) {
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(id); known != known_.end()) return std::optional(known->second);
  if (away_ && std::chrono::steady_clock::now() < away_until_) return *away_;
  auto answer = ask(id);
  away_.reset();
  if (!answer.ok() && answer.error().recourse == Recourse::retry) {
    away_ = answer.error();
    away_until_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.away_ms);
  }
  if (answer.ok() && answer.value()) known_.emplace(id, *answer.value());
  return answer;
}

Result<std::uint32_t> SchemaRegistry::register_schema(const std::string& subject, std::string_view schema) {
  const std::lock_guard lock(mutex_);
  const std::string url = options_.url + "/subjects/" + subject + "/versions";
  std::string body = R"({"schema":)";
  append_json_string(body, schema);
  body += '}';
  const Answer answer = FF_TRY(call(url, &body));
  if (answer.status == 409 || answer.status == 422)
    return Error{Recourse::halt, "schema_registry_refused",
                 "the schema registry refuses our schema of '" + subject + "' (" + std::to_string(answer.status) +
                     "): " + answer.body.substr(0, 500) +
                     "; publish to a topic of another name, or loosen the subject's rule of compatibility"};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::uint64_t id = 0;
  if (answer.status != 200 || parser.parse(answer.body).get(root) || root["id"].get(id) || id > UINT32_MAX)
    return away(answer, url);
  return static_cast<std::uint32_t>(id);
}

Error SchemaRegistry::away(const Answer& answer, const std::string& url) {
  return {Recourse::retry, "schema_registry_away",
          "the schema registry answers " + std::to_string(answer.status) + " for " + url + "; is its address right?"};
}

Result<SchemaRegistry::Answer> SchemaRegistry::call(const std::string& url, const std::string* body) {
  CURL* const curl = connection_->curl;
  curl_easy_reset(curl);  // the connection stays open
  Answer answer;
  char said[CURL_ERROR_SIZE] = "";
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> type(
      curl_slist_append(nullptr, "Content-Type: application/vnd.schemaregistry.v1+json"), &curl_slist_free_all);
  if (body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, type.get());
  }
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, options_.timeout_ms);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
  if (!options_.ca.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options_.ca.c_str());
  if (!options_.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, options_.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, options_.password.c_str());
  }
  if (curl_easy_perform(curl) != CURLE_OK)
    return Error{Recourse::retry, "schema_registry_away", "the schema registry does not answer " + url + ": " + said};
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
  if (answer.status == 401 || answer.status == 403)
    return Error{
        Recourse::halt, "schema_registry_denied",
        "the schema registry refuses us (" + std::to_string(answer.status) + " for " + url + "): its user or password"};
  return answer;
}

Result<std::optional<std::string>> SchemaRegistry::ask(std::uint32_t id) {
  const std::string url = options_.url + "/schemas/ids/" + std::to_string(id);
  const Answer answer = FF_TRY(call(url));
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view text, type;
  const bool is_json = parser.parse(answer.body).get(root) == simdjson::SUCCESS;
  std::int64_t code = 0;
  if (answer.status == 404 && is_json && root["error_code"].get(code) == simdjson::SUCCESS && code == no_such_schema)
    return std::optional<std::string>();
  if (answer.status != 200) return away(answer, url);  // a 404 of something else is no registry's word on a schema
  if (!is_json || root["schema"].get(text) != simdjson::SUCCESS)
    return Error{Recourse::retry, "schema_registry_away",
                 "what answers at " + url + " is no schema registry (no JSON with a 'schema')"};
  if (root["schemaType"].get(type) == simdjson::SUCCESS && type != "AVRO")
    return Error{Recourse::quarantine, "unusable_schema", "it is of type " + std::string(type) + ", not AVRO"};
  simdjson::dom::array references;
  if (root["references"].get(references) == simdjson::SUCCESS && references.size() > 0)
    return Error{Recourse::quarantine, "unusable_schema", "it refers to other schemas, which are not followed"};
  return std::optional(std::string(text));
}

}  // namespace ff
