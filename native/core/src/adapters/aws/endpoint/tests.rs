use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::{check, check_chain, is_allowed, is_near, is_region};
use crate::adapters::aws::error::AwsError;

#[test]
fn this_machine_and_the_services_themselves_are_allowed() {
    for url in [
        "http://127.0.0.1:4566",
        "http://localhost:4566/",
        "http://[::1]:4566",
        "https://api.ecr.eu-west-1.amazonaws.com",
        "https://ecr-fips.us-gov-west-1.amazonaws.com",
        "https://ecr.eu-west-1.api.aws",
        "https://api.ecr.cn-north-1.amazonaws.com.cn",
        "https://api.ecr.eusc-de-east-1.amazonaws.eu",
        "https://ecr.eusc-de-east-1.api.amazonwebservices.eu",
        "https://sts.us-isob-east-1.sc2s.sgov.gov",
        "https://ecr.us-isob-east-1.api.aws.scloud",
        "https://ecs.eu-isoe-west-1.cloud.adc-e.uk",
        "https://ecs.eu-west-1.amazonaws.com",
        "https://ecs-fips.us-gov-west-1.amazonaws.com",
        "https://sts.amazonaws.com",
        "https://sts.eu-west-1.amazonaws.com:443/",
        "https://vpce-0a1b-2c3d.api.ecr.eu-west-1.vpce.amazonaws.com",
        "https://vpce-0a1b-2c3d-eu-west-1a.sts.eu-west-1.vpce.amazonaws.com",
    ] {
        assert!(is_allowed(url), "{url}");
    }
}

#[test]
fn every_other_endpoint_is_refused() {
    for url in [
        "https://evil.example",
        "https://api.ecr.eu-west-1.amazonaws.com.evil.example",
        "https://evilamazonaws.com",
        "https://sts.evilamazonaws.com",
        "https://amazonaws.com",
        "http://sts.amazonaws.com",
        "https://sts.amazonaws.eu.evil.example",
        "https://a1b2c3.execute-api.eusc-de-east-1.amazonaws.eu",
        "https://a1b2c3.execute-api.eu-west-1.amazonaws.com",
        "https://a1b2c3.lambda-url.eu-west-1.on.aws",
        "https://sts.s3.amazonaws.com",
        "https://ecr.s3.eu-west-1.amazonaws.com",
        "https://vpce-1.vpce-svc-2.eu-west-1.vpce.amazonaws.com",
        "https://sts.amazonaws.com@evil.example/",
        "https://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "localhost:4566",
        "not a url",
    ] {
        assert!(!is_allowed(url), "{url}");
    }
}

#[test]
fn regions_have_their_form() {
    for region in ["eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"] {
        assert!(is_region(region), "{region}");
    }
    for region in [
        "",
        "s3",
        "eu",
        "eu-west-1.evil.example/#",
        "EU-west-1",
        "eu--1",
        "-eu-1",
    ] {
        assert!(!is_region(region), "{region}");
    }
}

#[derive(Debug)]
struct SharedConfiguration(&'static str);

impl LoadServiceConfig for SharedConfiguration {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.service_id() == "STS").then(|| self.0.to_owned())
    }
}

/// The SDK's value for a configuration that says `ignore_configured_endpoint_urls`.
#[derive(Debug)]
struct Ignoring;

impl LoadServiceConfig for Ignoring {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.env() != "AWS_ENDPOINT_URL").then(|| "https://evil.example".to_owned())
    }
}

fn refused(result: Result<(), AwsError>) -> String {
    match result {
        Err(AwsError::EndpointRefused { setting, .. }) => setting,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_place_of_an_override_is_looked_at() {
    let none = |_: &str| None;
    let plain = SdkConfig::builder().build();
    assert_eq!(check(&plain, none), Ok(()));
    for setting in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_ECR",
        "AWS_ENDPOINT_URL_STS",
    ] {
        let variable = |name: &str| (name == setting).then(|| "https://evil.example".to_owned());
        assert_eq!(refused(check(&plain, variable)), setting);
    }
    let shared = SdkConfig::builder()
        .service_config(SharedConfiguration("https://evil.example"))
        .build();
    assert!(refused(check(&shared, none)).starts_with("endpoint_url"));
    let ignoring = SdkConfig::builder().service_config(Ignoring).build();
    assert!(refused(check(&ignoring, none)).starts_with("endpoint_url"));
    let general = SdkConfig::builder()
        .endpoint_url("https://evil.example")
        .build();
    assert!(refused(check(&general, none)).starts_with("endpoint_url"));
    let lab = SdkConfig::builder()
        .service_config(SharedConfiguration("http://127.0.0.1:4566"))
        .build();
    assert_eq!(check(&lab, none), Ok(()));
}

#[test]
fn credentials_are_fetched_from_this_machine_and_its_own_servers() {
    for (url, expected) in [
        ("http://127.0.0.1:8080/creds", true),
        ("http://localhost/creds", true),
        ("http://[::1]/", true),
        ("http://169.254.170.2/v2/x", true),
        ("http://169.254.170.23/v1/credentials", true),
        ("http://[fd00:ec2::23]/v1/credentials", true),
        ("http://169.254.169.254", true),
        ("http://[fd00:ec2::254]/", true),
        ("https://evil.example/creds", false),
        ("http://169.254.170.3/", false),
        ("http://10.0.0.1/", false),
        ("https://sts.amazonaws.com/", false),
        ("http://localhost.evil.example/", false),
        ("http://169.254.170.2@evil.example/", false),
        ("ftp://127.0.0.1/", false),
        ("no url", false),
    ] {
        assert_eq!(is_near(url), expected, "{url}");
    }
}

#[derive(Debug)]
struct Metadata(&'static str);

impl LoadServiceConfig for Metadata {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.profile() == "ec2_metadata_service_endpoint").then(|| self.0.to_owned())
    }
}

#[test]
fn every_place_of_the_chain_s_credentials_is_looked_at() {
    let plain = SdkConfig::builder().build();
    assert_eq!(check_chain(&plain, |_| None), Ok(()));
    assert_eq!(check_chain(&plain, |_| Some(String::new())), Ok(()));
    for setting in [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ] {
        let variable = |name: &str| (name == setting).then(|| "https://evil.example".to_owned());
        assert_eq!(refused(check_chain(&plain, variable)), setting);
    }
    let shared = |url| SdkConfig::builder().service_config(Metadata(url)).build();
    let setting = refused(check_chain(&shared("https://evil.example"), |_| None));
    assert!(setting.starts_with("ec2_metadata"), "{setting}");
    assert_eq!(check_chain(&shared("http://127.0.0.1:1"), |_| None), Ok(()));
}
