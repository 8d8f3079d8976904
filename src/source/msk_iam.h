/// Tokens by which Amazon MSK lets in whoever has AWS credentials (SASL OAUTHBEARER).
///
/// A token is a request to kafka.REGION.amazonaws.com signed in its URL by Signature Version 4, which the brokers hand to IAM.
/// Credentials come from where the AWS tools look first: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else
/// the profile AWS_PROFILE (default) of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials), read again for each token; else the
/// container's endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI: ECS, EKS pod identities). Not asked: an EC2
/// instance's metadata, SSO, AssumeRole.
/// Sources: AWS "Signature Version 4 signing process"; aws-msk-iam-sasl-signer-go (Apache-2.0) for the token's form.
#pragma once

#include <map>
#include <string>

#include "source/kafka_options.h"

namespace ff {

struct AwsCredentials {
  std::string access_key_id, secret_access_key, session_token;  ///< the last empty: long-lived ones
};

/// Error: retry `aws_credentials_missing`: where they were looked for. No secret stands in it.
Result<AwsCredentials> find_aws_credentials();

/// GET https://HOST/PATH?QUERY, signed in its query; `query`: not encoded. `payload_hash`: hex SHA-256, or UNSIGNED-PAYLOAD.
struct PresignRequest {
  std::string host, path = "/", service, region;
  std::map<std::string, std::string> query;
  std::int64_t expires_s = 900;
  std::string payload_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";  ///< of no payload
};
std::string presign(PresignRequest request, const AwsCredentials& credentials, Micros now);

/// Good for 15 minutes.
KafkaToken msk_token(const std::string& region, const AwsCredentials& credentials, Micros now);

}  // namespace ff
