//! A path on its way through folders and links, as the kernel takes it.

use crate::report::cause::Cause;

/// Name of a file within its folder; names are bytes.
pub(super) type Name = Box<[u8]>;

/// The most links that one path may follow, as in Linux.
const LINKS: usize = 40;

/// A path of which the first part is known to have no links.
pub(super) struct Walk {
    /// Folders so far, and the name that is looked at.
    at: Vec<Name>,
    /// Names that follow, the next one last.
    rest: Vec<Name>,
    links: usize,
}

impl Walk {
    /// Begins at the root.
    pub(super) fn new(path: &[u8]) -> Self {
        let mut walk = Self {
            at: Vec::new(),
            rest: Vec::new(),
            links: 0,
        };
        walk.prepend(path);
        walk
    }

    /// The path so far.
    pub(super) fn at(&self) -> &[Name] {
        &self.at
    }

    /// Returns true if no name follows, so that the last one need not be a folder.
    pub(super) fn is_last(&self) -> bool {
        self.rest.is_empty()
    }

    /// Goes on to the next name. Returns false at the end.
    pub(super) fn advance(&mut self) -> bool {
        while let Some(name) = self.rest.pop() {
            match &*name {
                b"" | b"." => {}
                // The folder above the root is the root.
                b".." => {
                    self.at.pop();
                }
                _ => {
                    self.at.push(name);
                    return true;
                }
            }
        }
        false
    }

    /// Replaces the last name, which is a link, by its target. Returns false if these are too many links.
    pub(super) fn follow(&mut self, target: &[u8]) -> bool {
        self.links += 1;
        self.at.pop();
        if target.starts_with(b"/") {
            self.at.clear();
        }
        self.prepend(target);
        self.links <= LINKS
    }

    /// The path with all that follows, for people.
    pub(super) fn shown(&self) -> String {
        let names = self.at.iter().chain(self.rest.iter().rev());
        shown(names.filter(|name| !name.is_empty()))
    }

    fn prepend(&mut self, path: &[u8]) {
        let names = path.split(|byte| *byte == b'/');
        self.rest.extend(names.rev().map(Name::from));
    }
}

/// A path for people.
pub(super) fn shown<'a>(names: impl Iterator<Item = &'a Name>) -> String {
    let path = names.fold(String::new(), |path, name| {
        path + "/" + &String::from_utf8_lossy(name)
    });
    Cause::said(&path).to_string()
}
