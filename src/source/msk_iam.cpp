#include "source/msk_iam.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <simdjson.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>

namespace ff {
namespace {

constexpr std::int64_t token_valid_s = 900;
constexpr long answer_wait_ms = 5000;

std::string hmac(std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out, &size);
  return {reinterpret_cast<char*>(out), size};
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes)
    out.append(1, digits[static_cast<unsigned char>(c) >> 4]).append(1, digits[static_cast<unsigned char>(c) & 15]);
  return out;
}

std::string sha256(std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), out, &size, EVP_sha256(), nullptr);
  return to_hex({reinterpret_cast<char*>(out), size});
}

/// All but unreserved characters of RFC 3986 as %XX.
std::string encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-_.~").find(c) != std::string_view::npos)
      out += c;
    else
      out.append(1, '%').append(1, digits[static_cast<unsigned char>(c) >> 4]).append(1, digits[c & 15]);
  return out;
}

std::string base64url(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3), '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

/// 20130524T000000Z
std::string basic_time(Micros at) {
  const std::time_t seconds = at / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char out[20];
  return {out, std::strftime(out, sizeof out, "%Y%m%dT%H%M%SZ", &utc)};
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

AwsCredentials from_profile() {
  const std::string file = environment("AWS_SHARED_CREDENTIALS_FILE"), profile = environment("AWS_PROFILE");
  std::ifstream lines(file.empty() ? environment("HOME") + "/.aws/credentials" : file);
  const std::string wanted = "[" + (profile.empty() ? "default" : profile) + "]";
  AwsCredentials out;
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(line);
    if (line.starts_with('[')) is_inside = line == wanted;
    const std::size_t equals = line.find('=');
    if (!is_inside || equals == std::string::npos) continue;
    const std::string name = trimmed(line.substr(0, equals)), value = trimmed(line.substr(equals + 1));
    if (name == "aws_access_key_id") out.access_key_id = value;
    if (name == "aws_secret_access_key") out.secret_access_key = value;
    if (name == "aws_session_token") out.session_token = value;
  }
  return out;
}

AwsCredentials from_container() {
  const std::string full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                    relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (full.empty() && relative.empty()) return {};
  const std::string url = full.empty() ? "http://169.254.170.2" + relative : full;
  std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    std::ifstream in(file);
    std::getline(in, token);
  }
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      token.empty() ? nullptr : curl_slist_append(nullptr, ("Authorization: " + token).c_str()), curl_slist_free_all);
  std::string answer;
  const auto keep = +[](char* bytes, std::size_t size, std::size_t count, void* to) {
    static_cast<std::string*>(to)->append(bytes, size * count);
    return size * count;
  };
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, answer_wait_ms);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  if (curl_easy_perform(curl.get()) != CURLE_OK) return {};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(answer).get(root) != simdjson::SUCCESS) return {};
  const auto text = [&](const char* name) {
    std::string_view value;
    return root[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
  };
  return {text("AccessKeyId"), text("SecretAccessKey"), text("Token")};
}

}  // namespace

Result<AwsCredentials> find_aws_credentials() {
  const AwsCredentials given = {environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                                environment("AWS_SESSION_TOKEN")};
  const auto is_whole = [](const AwsCredentials& c) {
    return !c.access_key_id.empty() && !c.secret_access_key.empty();
  };
  if (is_whole(given)) return given;
  if (auto found = from_profile(); is_whole(found)) return found;
  if (auto found = from_container(); is_whole(found)) return found;
  return Error{Recourse::retry, "aws_credentials_missing",
               "no AWS credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the credentials file's profile "
               "(AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE) or the container's endpoint "
               "(AWS_CONTAINER_CREDENTIALS_FULL_URI)"};
}

std::string presign(PresignRequest request, const AwsCredentials& credentials, Micros now) {
  const std::string time = basic_time(now), day = time.substr(0, 8);
  const std::string scope = day + "/" + request.region + "/" + request.service + "/aws4_request";
  request.query["X-Amz-Algorithm"] = "AWS4-HMAC-SHA256";
  request.query["X-Amz-Credential"] = credentials.access_key_id + "/" + scope;
  request.query["X-Amz-Date"] = time;
  request.query["X-Amz-Expires"] = std::to_string(request.expires_s);
  request.query["X-Amz-SignedHeaders"] = "host";
  if (!credentials.session_token.empty()) request.query["X-Amz-Security-Token"] = credentials.session_token;
  std::string query;
  for (const auto& [name, value] : request.query)
    query += (query.empty() ? "" : "&") + encoded(name) + "=" + encoded(value);
  const std::string canonical =
      "GET\n" + request.path + "\n" + query + "\nhost:" + request.host + "\n\nhost\n" + request.payload_hash;
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(canonical);
  std::string key = "AWS4" + credentials.secret_access_key;
  for (const std::string& part : {day, request.region, request.service, std::string("aws4_request")})
    key = hmac(key, part);
  return "https://" + request.host + request.path + "?" + query + "&X-Amz-Signature=" + to_hex(hmac(key, to_sign));
}

KafkaToken msk_token(const std::string& region, const AwsCredentials& credentials, Micros now) {
  PresignRequest request;
  request.host = "kafka." + region + ".amazonaws.com";
  request.service = "kafka-cluster";
  request.region = region;
  request.query = {{"Action", "kafka-cluster:Connect"}};
  request.expires_s = token_valid_s;
  const std::string url = presign(std::move(request), credentials, now) + "&User-Agent=fleetflow";
  return {base64url(url), credentials.access_key_id, now / 1000 + token_valid_s * 1000};
}

}  // namespace ff
