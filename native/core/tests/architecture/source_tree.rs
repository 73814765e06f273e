//! The modules of a crate, read along its `mod` lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Item, ItemMod, Lit, Meta};
use walkdir::WalkDir;

use crate::references::{self, Call, Reference};

/// One module: a file, or a `mod x { … }` inside of one.
#[derive(Default)]
pub struct Module {
    /// Path of its file below the folder of the sources.
    pub file: String,
    pub parent: Option<usize>,
    /// True where only tests are compiled with it.
    pub is_test: bool,
    /// A name can stand for a module, a type and a function at once.
    pub names: BTreeMap<String, Vec<Name>>,
    pub globs: Vec<Vec<String>>,
    pub references: Vec<Reference>,
    pub calls: Vec<Call>,
    /// Line of the first `mod x;`, not counting those of tests.
    pub first_child: Option<usize>,
    /// Line of the first item which is neither `mod x;` nor `use`.
    pub first_definition: Option<usize>,
}

/// Meaning of a name in a module.
#[derive(Clone)]
pub enum Name {
    Module(usize),
    Item,
    Import(Vec<String>),
}

/// The sources of one crate.
pub struct SourceTree {
    /// Folder of the sources, as messages name it.
    pub folder: String,
    /// Modules, the crate's root first.
    pub modules: Vec<Module>,
    /// Reasons why a file was not read.
    pub unread: Vec<String>,
}

impl SourceTree {
    /// Reads a folder of the repository.
    pub fn read(folder: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(folder);
        let files = WalkDir::new(&root)
            .into_iter()
            .map(|entry| entry.expect("the sources can be listed").into_path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .map(|path| {
                let text = fs::read_to_string(&path).expect("the sources can be read");
                let path = path
                    .strip_prefix(&root)
                    .expect("walking stays below")
                    .into();
                (path, text)
            })
            .collect();
        Self::parse(folder, &files)
    }

    /// Parses the files of a crate, given by their paths below `folder`.
    pub fn parse(folder: &str, files: &BTreeMap<PathBuf, String>) -> Self {
        let tree = Self {
            folder: folder.to_owned(),
            modules: Vec::new(),
            unread: Vec::new(),
        };
        let mut parser = Parser {
            tree,
            files,
            reached: BTreeSet::new(),
        };
        parser.file(Path::new("lib.rs"), Path::new(""), None, false);
        for file in files.keys().filter(|file| !parser.reached.contains(*file)) {
            parser.tree.unread.push(format!(
                "unread: {folder}/{} is on disk, but no `mod` line reaches it.\n  \
                 Declare it in its parent module, or delete it.",
                file.display()
            ));
        }
        parser.tree
    }

    /// File and line as messages name them.
    pub fn place(&self, file: &str, line: usize) -> String {
        format!("{}/{file}:{line}", self.folder)
    }
}

struct Parser<'a> {
    tree: SourceTree,
    files: &'a BTreeMap<PathBuf, String>,
    reached: BTreeSet<PathBuf>,
}

impl Parser<'_> {
    /// Reads a file as a module whose children lie in the folder `below`.
    fn file(&mut self, file: &Path, below: &Path, parent: Option<usize>, is_test: bool) -> usize {
        let name = file.to_string_lossy().into_owned();
        let module = self.module(&name, parent, is_test);
        let parsed = self.files.get(file).map(|text| syn::parse_file(text));
        self.reached.insert(file.to_owned());
        match parsed {
            Some(Ok(parsed)) => {
                self.tree.modules[module].is_test |= references::is_test(&parsed.attrs);
                self.items(module, below, &parsed.items);
            }
            Some(Err(error)) => {
                let place = self.tree.place(&name, error.span().start().line);
                self.tree
                    .unread
                    .push(format!("unread: {place} cannot be parsed: {error}"));
            }
            None => self.tree.unread.push(format!(
                "unread: {}/{name} does not exist, but a `mod` line names it.",
                self.tree.folder
            )),
        }
        module
    }

    fn module(&mut self, file: &str, parent: Option<usize>, is_test: bool) -> usize {
        self.tree.modules.push(Module {
            file: file.to_owned(),
            parent,
            is_test,
            ..Module::default()
        });
        self.tree.modules.len() - 1
    }

    fn items(&mut self, module: usize, below: &Path, items: &[Item]) {
        for item in items {
            let is_test = references::is_test(references::attributes(item));
            if let Item::Mod(child) = item {
                self.child(module, below, child, is_test);
            } else if !is_test {
                references::read(&mut self.tree.modules[module], item);
            }
        }
    }

    fn child(&mut self, module: usize, below: &Path, item: &ItemMod, is_test: bool) {
        let name = item.ident.unraw().to_string();
        let line = item.mod_token.span.start().line;
        let parent = &mut self.tree.modules[module];
        let is_test = is_test || parent.is_test;
        let child = if let Some((_, items)) = &item.content {
            if !is_test {
                parent.first_definition.get_or_insert(line);
            }
            let file = parent.file.clone();
            let child = self.module(&file, Some(module), is_test);
            self.items(child, &below.join(&name), items);
            child
        } else {
            if !is_test {
                parent.first_child.get_or_insert(line);
            }
            let file = Path::new(&parent.file).to_owned();
            let (file, below) = self.find(&file, below, &name, &item.attrs);
            self.file(&file, &below, Some(module), is_test)
        };
        let names = &mut self.tree.modules[module].names;
        names.entry(name).or_default().push(Name::Module(child));
    }

    /// Finds the file of `mod name;` and the folder of its children.
    fn find(
        &self,
        parent: &Path,
        below: &Path,
        name: &str,
        attributes: &[Attribute],
    ) -> (PathBuf, PathBuf) {
        let folder = below.join(name);
        if let Some(path) = attributes.iter().find_map(path_attribute) {
            let file = parent.with_file_name(path);
            let below = file.parent().map(Path::to_owned).unwrap_or_default();
            return (file, below);
        }
        let in_folder = folder.join("mod.rs");
        if self.files.contains_key(&in_folder) {
            return (in_folder, folder);
        }
        (below.join(format!("{name}.rs")), folder)
    }
}

/// The value of `#[path = "…"]`.
fn path_attribute(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(path),
                ..
            }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    }
}
