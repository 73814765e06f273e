//! Refuses a run that cannot succeed, before anything is pulled.

use super::engine_access::unfiltered;
use super::graft_source::GraftSource;
use super::ready::Ready;
use crate::domain::engine::{EngineFacts, Store};
use crate::domain::falcon::marks::SensorMarks;
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, SENSOR_ROOT_VARIABLE};
use crate::domain::image::tag_mutability::overwriting_hint;
use crate::domain::provenance::key::Trust;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::{EngineAccess, GraftCache, PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::{SourceFacts, SourcePlace};
use crate::flow::facts::target::TargetFacts;
use crate::report::code::Code;
use crate::report::problem::Problem;

/// Refuses facts that rule out a patch, and collects the facts that it needs. Where the graft cache has the answer, the
/// engine does not matter.
///
/// # Errors
/// The first fact that is missing or rules it out. The ECS task definition comes first, since it is the user's as the
/// inputs are. The sign-in comes next, since the rest depends on it.
pub(super) fn check<'a>(config: &PatchConfig, facts: &'a Facts) -> Result<Ready<'a>, Problem> {
    let by_engine = facts.cache_hit().is_none();
    if let Some(Err(problem)) = &facts.task_definition {
        return Err(problem.clone());
    }
    if let Some(Err(problem)) = &facts.caller
        && is_about_credentials(problem.code)
    {
        return Err(problem.clone());
    }
    refuse_keys(facts)?;
    // A graft can come from the cache, without an engine, so the images' own problems come first there.
    let asks_cache =
        (config.strategy, config.graft_cache) == (Strategy::Graft, GraftCache::Registry);
    if by_engine && !asks_cache {
        refuse_engine_that_cannot_build(facts.engine()?)?;
    }
    if let Ok(source) = &facts.source {
        refuse_patched_source(source)?;
    }
    let ready = Ready::of(config, facts)?;
    if by_engine && asks_cache {
        refuse_engine_that_cannot_build(facts.engine()?)?;
    }
    refuse_miscounted_layers(ready.source)?;
    refuse_overwriting_source(config, ready.source, ready.target)?;
    refuse_unknown_image(config, ready.target)?;
    refuse_immutable_tags(config, facts, ready.target)?;
    if by_engine {
        refuse_unfiltered_access(config, facts)?;
    }
    Ok(ready)
}

/// Refuses keys that cannot be looked up, a signing key that may not sign, and one whose records would not count.
fn refuse_keys(facts: &Facts) -> Result<(), Problem> {
    let keys = facts.keys.as_ref().map_err(Clone::clone)?;
    let signing = facts.signing.as_ref().map(Result::as_ref);
    let signing = signing.transpose().map_err(Clone::clone)?;
    let (Some(signing), Trust::Keys(trusted)) = (signing, &keys.trust) else {
        return Ok(());
    };
    if trusted.iter().any(|trusted| trusted.key == signing.public) {
        return Ok(());
    }
    Err(Problem {
        code: Code::InputKeyNotTrusted,
        what: format!("`signingKey` is `{}`, and `trustedKeys` does not have it", signing.name),
        why: vec!["no later run would believe what this one records".to_owned()],
        hint: Some("Add the key to `trustedKeys`, beside the keys of earlier records, or leave `trustedKeys` empty".to_owned()),
    })
}

/// Refuses to patch the whole source in the engine where the engine cannot have it.
///
/// # Errors
/// The reason, with a graft as the way out where it is one.
pub(super) fn check_full(facts: &Facts, source: &SourceFacts) -> Result<(), Problem> {
    if let Some(problem) = &facts.probes.source_incomplete {
        return Err(problem.clone());
    }
    let store = &facts.engine()?.store;
    let layers = source.diff_ids.len();
    let Some(limit) = store.layer_limit().filter(|limit| layers > *limit) else {
        return Ok(());
    };
    let can_graft = facts.probes.graft.is_none() && GraftSource::of(source).is_ok();
    let hint = if can_graft {
        "Set `strategy: graft`, which does not need the source in the engine; or combine layers where the source is built"
    } else {
        "Combine layers where the source is built (`COPY`, `ADD` and `RUN` add one each), or use an engine with the containerd image store"
    };
    Err(Problem {
        code: Code::EngineTooManyLayers,
        what: format!(
            "The source has {layers} layers, and the engine's {store} image store takes {limit} at most"
        ),
        why: Vec::new(),
        hint: Some(hint.to_owned()),
    })
}

/// Refuses an engine before 27.5 with the containerd image store. It cannot read a build's context from the request's
/// body, where falconutil sends it (<https://github.com/moby/moby/issues/47717>).
fn refuse_engine_that_cannot_build(engine: &EngineFacts) -> Result<(), Problem> {
    let mut numbers = engine
        .version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next(), numbers.next());
    if engine.store != Store::Containerd || version.0.is_none() || version >= (Some(27), Some(5)) {
        return Ok(());
    }
    Err(Problem {
        code: Code::EngineTooOld,
        what: format!("Docker Engine {} cannot patch with the containerd image store", engine.version),
        why: vec!["before 27.5 it cannot build from a context that a client sends, which falconutil does (moby issue 47717)".to_owned()],
        hint: Some("Update the Docker Engine to 27.5 or later, or switch to the overlay2 store: `{\"features\": {\"containerd-snapshotter\": false}}` in `/etc/docker/daemon.json`".to_owned()),
    })
}

/// Refuses an engine whose requests cannot be filtered, where the user wants nothing else.
fn refuse_unfiltered_access(config: &PatchConfig, facts: &Facts) -> Result<(), Problem> {
    match unfiltered(config, facts) {
        Some(problem) if config.engine_access == EngineAccess::Filtered => Err(problem),
        _ => Ok(()),
    }
}

fn is_about_credentials(code: Code) -> bool {
    matches!(
        code,
        Code::AwsCredentialsMissing
            | Code::AwsCredentialsInvalid
            | Code::AwsCredentialsExpired
            | Code::AwsEndpointRefused
            | Code::AwsOidcFailed
            | Code::AwsOidcRefused
            | Code::AwsRoleDenied
            | Code::AwsRoleDurationRefused
    )
}

fn refuse_patched_source(source: &SourceFacts) -> Result<(), Problem> {
    let marks = SensorMarks::of(&source.config);
    if !marks.by_entrypoint && !marks.by_variable {
        return Ok(());
    }
    Err(Problem {
        code: Code::FalconAlreadyPatched,
        what: format!(
            "The source image `{}` holds the Falcon sensor already",
            source.name
        ),
        why: vec![if marks.by_entrypoint {
            format!("its entrypoint is `{FALCON_ENTRYPOINT}`")
        } else {
            format!("its environment has `{SENSOR_ROOT_VARIABLE}`")
        }],
        hint: Some("Set `sourceImage` to the image as it was before patching".to_owned()),
    })
}

/// Refuses a source whose configuration does not fit its manifest: no layer can be put on it, and engines refuse it too.
fn refuse_miscounted_layers(source: &SourceFacts) -> Result<(), Problem> {
    let SourcePlace::Registry { image, .. } = &source.place else {
        return Ok(());
    };
    let (named, held) = (image.diff_ids().len(), image.layers.len());
    if named == held {
        return Ok(());
    }
    Err(Problem {
        code: Code::RegistryAnswerInvalid,
        what: format!("The source image `{}` is not whole", source.name),
        why: vec![format!(
            "its manifest has {held} layers, and its configuration names {named}"
        )],
        hint: Some(format!(
            "Build and push the source again: `docker buildx build --platform linux/arm64 --push --tag {} .`",
            source.name
        )),
    })
}

/// Refuses a target that is the source. The inputs may name one repository in two ways, which only shows once the
/// registry is known.
fn refuse_overwriting_source(
    config: &PatchConfig,
    source: &SourceFacts,
    target: &TargetFacts,
) -> Result<(), Problem> {
    let SourcePlace::Registry { repository, .. } = &source.place else {
        return Ok(());
    };
    if *repository != target.repository {
        return Ok(());
    }
    let wanted = std::iter::once(&config.target_tag).chain(&config.additional_tags);
    for tag in wanted {
        if source.name == target.repository.tagged(tag)
            || source
                .name
                .starts_with(&format!("{}@", target.repository.tagged(tag)))
        {
            let input = input_of(config, tag);
            return Err(Problem {
                code: Code::InputTargetIsSource,
                what: format!(
                    "Invalid input `{input}`: `{}` is the source itself, which would be overwritten",
                    target.repository.tagged(tag)
                ),
                why: Vec::new(),
                hint: Some(format!(
                    "Set a tag in `{input}` that differs from the source's, such as `{tag}-falcon`"
                )),
            });
        }
    }
    Ok(())
}

/// Refuses an image that cannot be replaced and whose records cannot be read: it may be the wanted one or another.
fn refuse_unknown_image(config: &PatchConfig, target: &TargetFacts) -> Result<(), Problem> {
    let tag = &config.target_tag;
    let Some(Err(problem)) = target.current.as_ref().map(|current| &current.provenance) else {
        return Ok(());
    };
    if !target.is_immutable(tag) {
        return Ok(());
    }
    let name = target.repository.tagged(tag);
    let mut why = vec![problem.what.clone()];
    why.extend(problem.why.iter().cloned());
    Err(Problem {
        code: problem.code,
        what: format!(
            "`{name}` cannot be overwritten, and the records of its image cannot be read"
        ),
        why,
        hint: problem.hint.clone(),
    })
}

/// The input that has a tag of the target.
fn input_of(config: &PatchConfig, tag: &Tag) -> &'static str {
    if *tag == config.target_tag {
        "targetImage"
    } else {
        "additionalTags"
    }
}

fn refuse_immutable_tags(
    config: &PatchConfig,
    facts: &Facts,
    target: &TargetFacts,
) -> Result<(), Problem> {
    let mut existing = target.existing.iter();
    let Some((tag, digest)) = existing.find(|(tag, _)| target.is_immutable(tag)) else {
        return Ok(());
    };
    let mut why = vec![format!(
        "the repository's tags are immutable, and `{tag}` names {digest}"
    )];
    let input = input_of(config, tag);
    let known_rule = target.mutability.as_ref();
    let mut hint = overwriting_hint(input, &target.repository, tag, known_rule);
    let known = target.current.as_ref().map(|current| &current.provenance);
    let has_keys = matches!(&facts.keys, Ok(keys) if keys.trust != Trust::Anyone);
    if has_keys && matches!(known, Some(Ok(known)) if known.believed.is_empty()) {
        why.push(
            "no trusted key has signed a record of its image, so it is not kept as it is"
                .to_owned(),
        );
        hint.push_str("; after a change of key, add the former key to `trustedKeys`");
    }
    Err(Problem {
        code: Code::EcrTagImmutable,
        what: format!(
            "The tag `{tag}` exists in `{}` and cannot be overwritten",
            target.repository
        ),
        why,
        hint: Some(hint),
    })
}
