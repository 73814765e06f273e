//! The graph of files: each path is resolved to the files that it depends on.

use std::collections::BTreeSet;

use crate::references::Reference;
use crate::source_tree::{Module, Name, SourceTree};

/// One file's dependency on another.
pub struct Edge {
    pub from: String,
    pub to: String,
    pub line: usize,
    /// The path as it is written.
    pub import: String,
}

/// Every edge between two files, and the paths of this crate that lead nowhere.
pub fn edges(tree: &SourceTree) -> (Vec<Edge>, Vec<String>) {
    let mut edges = Vec::new();
    let mut unresolved = Vec::new();
    for (index, module) in tree.modules.iter().enumerate() {
        if module.is_test {
            continue;
        }
        for reference in &module.references {
            let import = reference.path.join("::");
            match files(tree, index, reference) {
                Some(files) => edges.extend(files.into_iter().map(|to| Edge {
                    from: module.file.clone(),
                    to,
                    line: reference.line,
                    import: import.clone(),
                })),
                None => unresolved.push(format!(
                    "unresolved: {} names `{import}`, which this test cannot find.\n  \
                     Name the item by the path of the file that defines it.",
                    tree.place(&module.file, reference.line)
                )),
            }
        }
    }
    (edges, unresolved)
}

/// The other files that a reference depends on; none where it leads nowhere.
///
/// It depends on the file that defines the item, and on each file whose `use` it passes: without
/// that line it would not compile. A module that is only walked through is not a dependency, so that
/// `super::sibling::Item` does not depend on the folder's face and `super::Item` does.
fn files(tree: &SourceTree, from: usize, reference: &Reference) -> Option<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    let resolver = &mut Resolver {
        modules: &tree.modules,
        open: Vec::new(),
    };
    for found in resolver.walk(from, &reference.path) {
        let target = match found.what {
            What::Item(module) => module,
            What::Module(module) if reference.is_use => module,
            What::Module(_) | What::Outside => continue,
            What::Missing => return None,
        };
        let modules = found.through.into_iter().chain([target]);
        files.extend(modules.map(|module| tree.modules[module].file.clone()));
    }
    files.remove(&tree.modules[from].file);
    Some(files)
}

#[derive(Clone, Copy)]
enum What {
    Module(usize),
    /// Item defined in a module.
    Item(usize),
    /// Other crate, local variable or type parameter.
    Outside,
    /// Nothing, though the path leads into a module of this crate.
    Missing,
}

struct Found {
    what: What,
    /// Modules whose `use` was passed.
    through: BTreeSet<usize>,
}

impl Found {
    fn new(what: What) -> Self {
        let through = BTreeSet::new();
        Self { what, through }
    }

    fn through(mut self, modules: &BTreeSet<usize>) -> Self {
        self.through.extend(modules);
        self
    }
}

struct Resolver<'a> {
    modules: &'a [Module],
    /// Imports being followed, so that one which leads to itself comes to an end.
    open: Vec<(usize, Vec<String>)>,
}

impl Resolver<'_> {
    /// Everything that a path written in a module can mean.
    fn walk(&mut self, from: usize, path: &[String]) -> Vec<Found> {
        let (first, rest) = path.split_first().expect("a path has segments");
        let mut here = match first.as_str() {
            "crate" => vec![Found::new(What::Module(0))],
            "self" | "super" => self.step(from, first),
            _ => self.look_up(from, first),
        };
        if here.is_empty() {
            here.push(Found::new(What::Outside));
        }
        for segment in rest {
            let mut next = Vec::new();
            for found in &here {
                if let What::Module(module) = found.what {
                    let steps = self.step(module, segment).into_iter();
                    next.extend(steps.map(|step| step.through(&found.through)));
                }
            }
            // What follows an item is its variant or its associated function.
            if next.is_empty() {
                return here;
            }
            here = next;
        }
        here
    }

    fn step(&mut self, module: usize, segment: &str) -> Vec<Found> {
        let what = match segment {
            "self" => What::Module(module),
            "super" => self.modules[module]
                .parent
                .map_or(What::Missing, What::Module),
            name => {
                let found = self.look_up(module, name);
                if !found.is_empty() {
                    return found;
                }
                What::Missing
            }
        };
        vec![Found::new(what)]
    }

    fn look_up(&mut self, module: usize, name: &str) -> Vec<Found> {
        let mut found = Vec::new();
        for meaning in self.modules[module].names.get(name).into_iter().flatten() {
            match meaning {
                Name::Module(child) => found.push(Found::new(What::Module(*child))),
                Name::Item => found.push(Found::new(What::Item(module))),
                Name::Import(path) => found.extend(self.follow(module, path)),
            }
        }
        if found.is_empty() {
            self.look_up_in_globs(module, name)
        } else {
            found
        }
    }

    fn look_up_in_globs(&mut self, module: usize, name: &str) -> Vec<Found> {
        let mut found = Vec::new();
        let mut outside = false;
        let modules = self.modules;
        for glob in &modules[module].globs {
            for target in self.follow(module, glob) {
                let What::Module(source) = target.what else {
                    outside = true;
                    continue;
                };
                let names = self.look_up(source, name).into_iter();
                found.extend(names.map(|name| name.through(&target.through)));
            }
        }
        if found.is_empty() && outside {
            found.push(Found::new(What::Outside));
        }
        found
    }

    /// Everything that an import of a module can mean, which then passes through that module.
    fn follow(&mut self, module: usize, path: &[String]) -> Vec<Found> {
        let import = (module, path.to_vec());
        if self.open.contains(&import) {
            return Vec::new();
        }
        self.open.push(import);
        let found = self.walk(module, path);
        self.open.pop();
        let through = BTreeSet::from([module]);
        found
            .into_iter()
            .map(|target| target.through(&through))
            .collect()
    }
}
