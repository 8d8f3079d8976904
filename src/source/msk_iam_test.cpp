#include "source/msk_iam.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <cstdlib>
#include <thread>

#include "base/time.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {

const AwsCredentials example = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

// Source: Amazon S3 API reference, "Authenticating Requests: Using Query Parameters", the presigned GET of test.txt.
TEST(MskIam, SignsAUrlAsAwsDocumentsIt) {
  PresignRequest request;
  request.host = "examplebucket.s3.amazonaws.com";
  request.path = "/test.txt";
  request.service = "s3";
  request.region = "us-east-1";
  request.expires_s = 86400;
  request.payload_hash = "UNSIGNED-PAYLOAD";
  EXPECT_EQ(presign(request, example, *parse_rfc3339("2013-05-24T00:00:00Z")),
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

std::string decoded(std::string text) {
  std::string out;
  unsigned int bits = 0, count = 0;
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const char c : text) {
    EXPECT_NE(alphabet.find(c), std::string::npos) << c;
    bits = bits << 6 | static_cast<unsigned int>(alphabet.find(c));
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 255);
  }
  return out;
}

TEST(MskIam, ATokenIsAPresignedUrlOfTheRegionForAQuarterOfAnHour) {
  AwsCredentials session = example;
  session.session_token = "a+b/c=";
  const Micros now = *parse_rfc3339("2026-03-02T12:00:00Z");
  const KafkaToken token = msk_token("eu-central-1", session, now);
  const std::string url = decoded(token.token);
  EXPECT_EQ(url.find("https://kafka.eu-central-1.amazonaws.com/?Action=kafka-cluster%3AConnect&"), 0U) << url;
  for (const char* part : {"X-Amz-Expires=900&", "%2F20260302%2Feu-central-1%2Fkafka-cluster%2Faws4_request&",
                           "X-Amz-Security-Token=a%2Bb%2Fc%3D&", "&User-Agent=fleetflow"})
    EXPECT_NE(url.find(part), std::string::npos) << part << " is not in " << url;
  EXPECT_EQ(token.expires_at_ms, now / 1000 + 900'000);
  EXPECT_EQ(url.find(example.secret_access_key), std::string::npos);
}

TEST(MskIam, CredentialsComeFromTheEnvironmentElseFromTheProfile) {
  const testing::TemporaryFile file(
      "[default]\naws_access_key_id = D\naws_secret_access_key = d\n"
      "[other]\naws_access_key_id=O\naws_secret_access_key=o\naws_session_token=t\n",
      ".ini");
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
                           "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"})
    unsetenv(name);
  setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere", 1);
  EXPECT_EQ(find_aws_credentials().error().cause, "aws_credentials_missing");
  setenv("AWS_SHARED_CREDENTIALS_FILE", file.path().c_str(), 1);
  EXPECT_EQ(find_aws_credentials().value().access_key_id, "D");
  setenv("AWS_PROFILE", "other", 1);
  EXPECT_EQ(find_aws_credentials().value().session_token, "t");
  setenv("AWS_ACCESS_KEY_ID", "E", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
  EXPECT_EQ(find_aws_credentials().value().access_key_id, "E");
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"})
    unsetenv(name);
}

TEST(MskIam, TheContainersEndpointGivesCredentialsToWhoHasItsToken) {
  httplib::Server server;
  server.Get("/v1/credentials", [](const httplib::Request& request, httplib::Response& out) {
    if (request.get_header_value("Authorization") != "secret") return void(out.status = 403);
    out.set_content(R"({"AccessKeyId":"C","SecretAccessKey":"c","Token":"t"})", "application/json");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread serving([&] { server.listen_after_bind(); });
  const testing::TemporaryFile token("secret\n", ".txt");
  setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere", 1);
  setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", ("http://127.0.0.1:" + std::to_string(port) + "/v1/credentials").c_str(),
         1);
  EXPECT_FALSE(find_aws_credentials().ok());
  setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.path().c_str(), 1);
  const AwsCredentials found = find_aws_credentials().value();
  EXPECT_EQ(found.access_key_id + found.secret_access_key + found.session_token, "Cct");
  for (const char* name :
       {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"})
    unsetenv(name);
  server.stop();
  serving.join();
}

}  // namespace
}  // namespace ff
