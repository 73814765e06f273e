//! Keys in KMS: their public part, and signatures by them.

use aws_config::Region;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::operation::RequestId;
use aws_sdk_kms::operation::sign::builders::SignFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};

use super::account::Aws;
use super::action::Action;
use super::call::{Call, usual_host};
use super::kms_error::KmsError;
use crate::domain::aws::kms_key::KmsKeyName;
use crate::domain::provenance::key::PublicKey;
use crate::report::cause::Cause;

/// The code by which KMS says that it would have carried a request out
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html>).
const WOULD_SUCCEED: &str = "DryRunOperation";

impl Aws {
    /// Fetches the public part of a key.
    pub async fn public_key(&self, key: &KmsKeyName) -> Result<PublicKey, KmsError> {
        let purpose = format!("get the public key of `{key}`");
        let (client, call) = self.kms(key, Action::GetPublicKey, purpose)?;
        self.0.provider.credentials().await?;
        let answer = client.get_public_key().key_id(key.as_str()).send().await;
        let answer = answer.map_err(|error| failed(key, &call, error))?;
        let der = answer.public_key.ok_or_else(|| call.incomplete("key"))?;
        PublicKey::from_der(der.as_ref()).map_err(|source| KmsError::Kind {
            key: key.clone(),
            source,
        })
    }

    /// Asks if a signature would be granted, without one.
    pub async fn may_sign(&self, key: &KmsKeyName) -> Result<(), KmsError> {
        let purpose = format!("find out if `{key}` may sign");
        let (client, call) = self.kms(key, Action::DryRunOfSign, purpose)?;
        self.0.provider.credentials().await?;
        let request = signing(client.sign(), key, &[]).dry_run(true);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if plain_code(&error) == WOULD_SUCCEED => Ok(()),
            Err(error) => Err(failed(key, &call, error)),
        }
    }

    /// Signs a message with a key, and holds the signature against its public part: an endpoint that is not KMS's own
    /// can answer with another one.
    pub async fn sign(
        &self,
        key: &KmsKeyName,
        public: &PublicKey,
        message: &[u8],
    ) -> Result<Vec<u8>, KmsError> {
        let (client, call) = self.kms(key, Action::Sign, format!("sign with `{key}`"))?;
        self.0.provider.credentials().await?;
        let answer = signing(client.sign(), key, message).send().await;
        let answer = answer.map_err(|error| failed(key, &call, error))?;
        let signature = answer
            .signature
            .ok_or_else(|| call.incomplete("signature"))?;
        let signature = signature.into_inner();
        if public.verifies(message, &signature) {
            return Ok(signature);
        }
        Err(KmsError::SignatureInvalid { key: key.clone() })
    }

    fn kms(
        &self,
        key: &KmsKeyName,
        action: Action,
        purpose: String,
    ) -> Result<(aws_sdk_kms::Client, Call<'_>), KmsError> {
        let region = key.region().or(self.region());
        let region = region.ok_or_else(|| KmsError::RegionMissing { key: key.clone() })?;
        let call = Call {
            action,
            purpose,
            host: usual_host("kms", region),
            repository: None,
            origin: self.origin(),
        };
        let config = aws_sdk_kms::config::Builder::from(&self.0.sdk);
        let config = config.region(Region::new(region.to_owned())).build();
        Ok((aws_sdk_kms::Client::from_conf(config), call))
    }
}

/// The request for a signature over the hash of a message, which may have any length then.
fn signing(request: SignFluentBuilder, key: &KmsKeyName, message: &[u8]) -> SignFluentBuilder {
    use sha2::Digest as _;
    request
        .key_id(key.as_str())
        .message(Blob::new(sha2::Sha256::digest(message).to_vec()))
        .message_type(MessageType::Digest)
        .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
}

/// The code of a refusal without its ending, which not all endpoints write; empty without a refusal.
fn plain_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    let code = error.code().unwrap_or_default();
    code.strip_suffix("Exception").unwrap_or(code)
}

fn failed<E, R>(key: &KmsKeyName, call: &Call<'_>, error: SdkError<E, R>) -> KmsError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
    SdkError<E, R>: RequestId,
{
    let key = key.clone();
    let (code, message) = (error.code().unwrap_or_default(), error.message());
    let source = Cause::said(&format!("{code}: {}", message.unwrap_or("no message")));
    match plain_code(&error) {
        "NotFound" => KmsError::NotFound { key, source },
        "Disabled" | "KMSInvalidState" | "KeyUnavailable" => KmsError::Unusable { key, source },
        "InvalidKeyUsage" | "UnsupportedOperation" => KmsError::Unsuitable { key, source },
        _ => call.failed(error).into(),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::{Value, json};

    use crate::adapters::aws::account::Aws;
    use crate::adapters::aws::tests::of;
    use crate::domain::aws::kms_key::KmsKeyName;
    use crate::domain::provenance::key::PublicKey;
    use crate::report::problem::Problem;
    use crate::test_support::loopback_server::{LoopbackServer, Reply};
    use crate::test_support::signing_key::TestKey;

    const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:alias/falcon-records";

    fn name() -> KmsKeyName {
        KEY.parse().expect("a name")
    }

    fn refusal(code: &'static str) -> Reply {
        let body = json!({"__type": code, "message": "no"}).to_string();
        Reply::new(400, &[], body)
    }

    async fn kms(
        answer: impl Fn(&Value) -> Reply + Send + Sync + 'static,
    ) -> (LoopbackServer, Aws) {
        let server = LoopbackServer::start(move |received, _| {
            let body = serde_json::from_slice(&received.body).expect("JSON");
            answer(&body)
        })
        .await;
        let aws = of(&server);
        (server, aws)
    }

    fn encoded(bytes: &[u8]) -> String {
        BASE64_STANDARD.encode(bytes)
    }

    #[tokio::test]
    async fn a_key_signs_the_hash_of_a_message() {
        let (key, signer) = (TestKey::new(), TestKey::new());
        let public = key.public();
        let other = signer.public();
        let (_server, aws) = kms(move |body| {
            assert_eq!(body["KeyId"], KEY);
            if body.get("Message").is_none() {
                return Reply::new(
                    200,
                    &[],
                    json!({"PublicKey": encoded(key.der())}).to_string(),
                );
            }
            assert_eq!(body["MessageType"], "DIGEST");
            assert_eq!(body["SigningAlgorithm"], "ECDSA_SHA_256");
            let signature = encoded(&key.sign(b"statement"));
            Reply::new(200, &[], json!({"Signature": signature}).to_string())
        })
        .await;
        assert_eq!(aws.public_key(&name()).await.expect("a key"), public);
        let signature = aws.sign(&name(), &public, b"statement").await;
        assert!(public.verifies(b"statement", &signature.expect("a signature")));
        for (key, message) in [(&public, b"another".as_slice()), (&other, b"statement")] {
            let wrong = aws.sign(&name(), key, message).await.expect_err("wrong");
            assert_eq!(
                Problem::from(wrong).code.as_str(),
                "AWS_KMS_SIGNATURE_INVALID"
            );
        }
    }

    #[tokio::test]
    async fn a_dry_run_shows_if_signing_is_allowed() {
        for code in ["DryRunOperationException", "DryRunOperation"] {
            let (_server, aws) = kms(move |body| {
                assert_eq!(body["DryRun"], true);
                refusal(code)
            })
            .await;
            assert!(aws.may_sign(&name()).await.is_ok(), "{code}");
        }
    }

    #[tokio::test]
    async fn each_refusal_has_its_code() {
        for (code, expected) in [
            ("NotFoundException", "AWS_KMS_KEY_NOT_FOUND"),
            ("DisabledException", "AWS_KMS_KEY_UNUSABLE"),
            ("KMSInvalidStateException", "AWS_KMS_KEY_UNUSABLE"),
            ("KeyUnavailableException", "AWS_KMS_KEY_UNUSABLE"),
            ("InvalidKeyUsageException", "AWS_KMS_KEY_UNSUITABLE"),
            ("UnsupportedOperationException", "AWS_KMS_KEY_UNSUITABLE"),
            ("AccessDeniedException", "AWS_DENIED"),
            ("UnrecognizedClientException", "AWS_CREDENTIALS_INVALID"),
            ("KMSInternalException", "AWS_REQUEST_FAILED"),
        ] {
            let (_server, aws) = kms(move |_| refusal(code)).await;
            let public = TestKey::new().public();
            let problems = [
                Problem::from(aws.public_key(&name()).await.expect_err(code)),
                Problem::from(aws.may_sign(&name()).await.expect_err(code)),
                Problem::from(aws.sign(&name(), &public, b"").await.expect_err(code)),
            ];
            for problem in problems {
                assert_eq!(problem.code.as_str(), expected, "{code}: {problem:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_key_of_another_kind_and_a_key_without_a_region_are_refused() {
        let (_server, aws) = kms(|_| {
            let der = encoded(b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00");
            Reply::new(200, &[], json!({"PublicKey": der}).to_string())
        })
        .await;
        let problem = Problem::from(aws.public_key(&name()).await.expect_err("another kind"));
        assert_eq!(problem.code.as_str(), "AWS_KMS_KEY_UNSUITABLE");
        assert!(problem.why[0].contains("Ed25519"), "{problem:?}");
        let short: KmsKeyName = "alias/falcon-records".parse().expect("a name");
        let missing = Problem::from(aws.may_sign(&short).await.expect_err("no region"));
        assert_eq!(missing.code.as_str(), "INPUT_MISSING");
        let _: PublicKey = TestKey::new().public();
    }
}
