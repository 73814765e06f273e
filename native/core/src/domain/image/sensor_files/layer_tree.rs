//! The files of one layer, as they are there once an engine has unpacked it.

use std::collections::BTreeMap;

use super::answer::Obstacle;
use super::budget::Budget;
use super::limits::DEPTH;
use super::tar_entries::{Kind, TarEntry};
use super::walk::{Name, Walk, shown};
use crate::domain::falcon::options::SENSOR_FOLDER;

/// Prefix of the name of a file that removes another of the layers below
/// (<https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>).
const WHITEOUT: &[u8] = b".wh.";

/// Name of the file that hides all that the layers below have in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Prefix of names that old engines used for themselves, and that engines leave out.
const META: &[u8] = b".wh..wh.";

/// The files of a layer.
#[derive(Debug, Default)]
pub(super) struct LayerTree {
    root: Folder,
    /// The first path that is not of the sensor alone.
    foreign: Option<String>,
}

#[derive(Debug, Default)]
struct Folder {
    /// True if it hides what the layers below have in it.
    is_opaque: bool,
    entries: BTreeMap<Name, Entry>,
}

/// Content of a layer under a name; it can both remove what is below and have something instead.
#[derive(Debug, Default)]
struct Entry {
    removes: bool,
    node: Option<Node>,
}

#[derive(Debug)]
enum Node {
    Folder(Folder),
    File(u64),
    Link(Name),
    Other(&'static str),
}

/// Content of a layer at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sight<'a> {
    Folder,
    /// A regular file, with its bytes.
    File(u64),
    /// A symbolic link, with its target.
    Link(&'a [u8]),
    /// Something else, by its name for people.
    Other(&'static str),
    /// Nothing, and nothing of the layers below shows either.
    Removed,
    /// Nothing; a layer below decides.
    Unmentioned,
}

/// Returns true for a path within the sensor's folder, and for the folders above it.
fn is_of_sensor(names: &[Name], is_folder: bool) -> bool {
    let folder = SENSOR_FOLDER.trim_start_matches('/').split('/');
    let folder: Vec<&[u8]> = folder.map(str::as_bytes).collect();
    let mut pairs = std::iter::zip(names, &folder);
    let agrees = pairs.all(|(name, wanted)| **name == **wanted);
    agrees && (names.len() >= folder.len() || is_folder)
}

impl LayerTree {
    /// Unpacks an entry of the layer.
    pub(super) fn add(&mut self, entry: &TarEntry, budget: &mut Budget) -> Result<(), Obstacle> {
        let names = names(&entry.path)?;
        // The root is there anyway.
        let Some((base, parents)) = names.split_last() else {
            return Ok(());
        };
        if parents.iter().any(|name| name.starts_with(META)) {
            return Ok(());
        }
        if self.foreign.is_none() && !is_of_sensor(&names, entry.kind == Kind::Folder) {
            self.foreign = Some(shown(names.iter()));
        }
        let node = match entry.kind {
            Kind::HardLink => Some(self.linked(&entry.link)?),
            Kind::Link => Some(Node::Link(entry.link.clone().into())),
            Kind::File => Some(Node::File(entry.size)),
            Kind::Other(name) => Some(Node::Other(name)),
            Kind::Folder => None,
        };
        let parents = self.real(parents)?;
        let folder = self.folder(&parents, budget)?;
        if base.starts_with(META) {
            folder.is_opaque |= **base == *OPAQUE;
            return Ok(());
        }
        if let Some(removed) = base.strip_prefix(WHITEOUT) {
            if matches!(removed, b"" | b"." | b"..") {
                return Err(Obstacle::unreadable("a whiteout names no file"));
            }
            // Engines differ in whether it also removes a file of the same layer, so the stricter ones count.
            *slot(folder, removed, budget)? = Entry {
                removes: true,
                node: None,
            };
            return Ok(());
        }
        if let Some(Node::Link(target)) = &node {
            budget.keep(target)?;
        }
        let slot = slot(folder, base, budget)?;
        match (&slot.node, node) {
            (Some(Node::Folder(_)), None) => {}
            (_, None) => slot.node = Some(Node::Folder(Folder::default())),
            (_, node) => slot.node = node,
        }
        Ok(())
    }

    /// The first path of the layer that is not within the sensor's folder.
    pub(super) fn foreign(&self) -> Option<&str> {
        self.foreign.as_deref()
    }

    /// Looks at a path that has no links before its last name.
    pub(super) fn see(&self, path: &[Name]) -> Sight<'_> {
        let mut folder = &self.root;
        let mut hides = folder.is_opaque;
        let mut names = path.iter();
        while let Some(name) = names.next() {
            let Some(entry) = folder.entries.get(name) else {
                return if hides {
                    Sight::Removed
                } else {
                    Sight::Unmentioned
                };
            };
            hides |= entry.removes;
            let is_last = names.as_slice().is_empty();
            match &entry.node {
                Some(Node::Folder(_)) if is_last => return Sight::Folder,
                Some(Node::Folder(inner)) => {
                    hides |= inner.is_opaque;
                    folder = inner;
                }
                Some(Node::File(bytes)) if is_last => return Sight::File(*bytes),
                Some(Node::Link(target)) if is_last => return Sight::Link(target),
                Some(Node::Other(name)) if is_last => return Sight::Other(name),
                // Nothing is below a file.
                Some(_) | None => return Sight::Removed,
            }
        }
        Sight::Folder
    }

    /// The path of a folder, with the links of this layer followed: engines unpack into their targets.
    fn real(&self, parents: &[Name]) -> Result<Vec<Name>, Obstacle> {
        let mut walk = Walk::new(&parents.join(&b'/'));
        while walk.advance() {
            if walk.at().len() > DEPTH {
                let why = format!("a path has more than {DEPTH} folders");
                return Err(Obstacle::unreadable(&why));
            }
            let target = match self.see(walk.at()) {
                Sight::Link(target) => target,
                Sight::Folder | Sight::Removed | Sight::Unmentioned => continue,
                Sight::File(_) | Sight::Other(_) => return Err(full_file(walk.at())),
            };
            if !walk.follow(target) {
                let why = format!("the links of `{}` lead in a circle", walk.shown());
                return Err(Obstacle::unreadable(&why));
            }
        }
        Ok(walk.at().to_vec())
    }

    /// The folder at a path without links, created where it is missing.
    fn folder(&mut self, path: &[Name], budget: &mut Budget) -> Result<&mut Folder, Obstacle> {
        let mut folder = &mut self.root;
        for name in path {
            let node = &mut slot(folder, name, budget)?.node;
            folder = match node.get_or_insert_with(|| Node::Folder(Folder::default())) {
                Node::Folder(inner) => inner,
                Node::File(_) | Node::Link(_) | Node::Other(_) => return Err(full_file(path)),
            };
        }
        Ok(folder)
    }

    /// The file that a hard link is another name of. It must be in the layer, and come first.
    fn linked(&self, target: &[u8]) -> Result<Node, Obstacle> {
        let names = names(target)?;
        let Some((base, parents)) = names.split_last() else {
            return Ok(Node::Other("a hard link to nothing"));
        };
        let mut path = self.real(parents)?;
        path.push(base.clone());
        Ok(match self.see(&path) {
            Sight::File(bytes) => Node::File(bytes),
            Sight::Link(target) => Node::Link(target.into()),
            Sight::Other(kind) => Node::Other(kind),
            Sight::Folder | Sight::Removed | Sight::Unmentioned => {
                Node::Other("a hard link to nothing in its layer")
            }
        })
    }
}

/// The flaw of a layer that puts files into a file.
fn full_file(path: &[Name]) -> Obstacle {
    let path = shown(path.iter());
    Obstacle::unreadable(&format!("`{path}` is a file and has files in it"))
}

/// The entry of a name, created where it is missing.
fn slot<'a>(
    folder: &'a mut Folder,
    name: &[u8],
    budget: &mut Budget,
) -> Result<&'a mut Entry, Obstacle> {
    if !folder.entries.contains_key(name) {
        budget.keep(name)?;
    }
    Ok(folder.entries.entry(name.into()).or_default())
}

/// The names in a path of an archive, which begins at the root whether it says so or not.
pub(super) fn names(path: &[u8]) -> Result<Vec<Name>, Obstacle> {
    let names = path.split(|byte| *byte == b'/');
    let names: Vec<Name> = names
        .filter(|name| !matches!(*name, b"" | b"."))
        .map(Name::from)
        .collect();
    if names.iter().any(|name| **name == *b"..") {
        return Err(Obstacle::unreadable("a path has `..` in it"));
    }
    Ok(names)
}
