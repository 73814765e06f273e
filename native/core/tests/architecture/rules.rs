//! The rules, each returning what breaks it.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::{astar, tarjan_scc};
use petgraph::graphmap::DiGraphMap;

use crate::resolve::{Edge, edges};
use crate::source_tree::SourceTree;

/// Files that were not read, and paths that were not resolved: the other rules do not see them.
pub fn unread(tree: &SourceTree) -> Vec<String> {
    let (_, unresolved) = edges(tree);
    tree.unread.iter().cloned().chain(unresolved).collect()
}

/// Imports that the table of floors does not allow.
pub fn floors(tree: &SourceTree, floors: &[(&str, &str)], contents: &[&str]) -> Vec<String> {
    let files = tree.modules.iter().filter(|module| !module.is_test);
    let files: BTreeSet<&str> = files.map(|module| module.file.as_str()).collect();
    let homeless = files.into_iter().filter(|file| {
        let stem = stem(file);
        floor(floors, stem).is_none() && !contents.contains(&stem)
    });
    let mut problems: Vec<String> = homeless
        .map(|file| {
            format!(
                "floors: {}/{file} is on no floor.\n  Move it to one, or give it a row in `FLOORS`.",
                tree.folder
            )
        })
        .collect();

    let edges = edges(tree).0;
    let mut pairs: BTreeMap<(&str, &str), Vec<&Edge>> = BTreeMap::new();
    for edge in &edges {
        pairs.entry((&edge.from, &edge.to)).or_default().push(edge);
    }
    for ((from, to), edges) in pairs {
        if let Some(reason) = forbidden(stem(from), stem(to), floors, contents) {
            let import = describe(tree, edges[0]);
            let lines: BTreeSet<usize> = edges.iter().map(|edge| edge.line).collect();
            problems.push(format!("floors: {import} (lines {lines:?}).\n  {reason}"));
        }
    }
    problems
}

/// Reason why a file must not import another, and what to do instead.
fn forbidden(from: &str, to: &str, floors: &[(&str, &str)], contents: &[&str]) -> Option<String> {
    let (from, allowed) = floor(floors, from)?;
    if contents.contains(&to) {
        return Some(format!(
            "`{to}.rs` is a table of contents. Import from the file that defines it."
        ));
    }
    let (to, _) = floor(floors, to)?;
    if from == to || allowed.iter().any(|allowed| is_within(&to, allowed)) {
        return None;
    }
    Some(format!(
        "`{from}` may import {}. Move what it needs to a lower floor, or let the caller pass it in.",
        list(&allowed)
    ))
}

/// Name of a file's floor, and the floors that it may import.
fn floor<'t>(floors: &[(&str, &'t str)], stem: &str) -> Option<(String, Vec<&'t str>)> {
    floors.iter().find_map(|(name, allowed)| {
        let name = match name.strip_suffix('*') {
            Some(folder) => {
                let entry = stem.strip_prefix(folder)?.split('/').next()?;
                format!("{folder}{entry}")
            }
            None => (*name).to_owned(),
        };
        is_within(stem, &name).then(|| (name, allowed.split_whitespace().collect()))
    })
}

/// Files that import each other, with one shortest circle among them.
pub fn circles(tree: &SourceTree) -> Vec<String> {
    let edges = edges(tree).0;
    let mut graph = DiGraphMap::new();
    for edge in edges.iter().rev() {
        graph.add_edge(edge.from.as_str(), edge.to.as_str(), edge);
    }
    tarjan_scc(&graph)
        .into_iter()
        .filter(|members| members.len() > 1)
        .map(|mut members| {
            members.sort_unstable();
            let circle: Vec<String> = shortest_circle(&graph, &members)
                .into_iter()
                .map(|edge| format!("  {}", describe(tree, edge)))
                .collect();
            format!(
                "circles: {} files import each other: {}\n{}\n  \
                 Give what both need a file of its own, or import a sibling by its file instead of \
                 the folder's face.",
                members.len(),
                members.join(", "),
                circle.join("\n")
            )
        })
        .collect()
}

fn shortest_circle<'e>(
    graph: &DiGraphMap<&'e str, &'e Edge>,
    members: &[&'e str],
) -> Vec<&'e Edge> {
    members
        .iter()
        .flat_map(|from| graph.edges(from))
        .filter_map(|(from, to, first)| {
            let (_, back) = astar(graph, to, |file| file == from, |_| 1, |_| 0)?;
            let steps = back.windows(2).map(|step| graph[(step[0], step[1])]);
            Some([*first].into_iter().chain(steps).collect::<Vec<_>>())
        })
        .min_by_key(Vec::len)
        .expect("files that import each other lie on a circle")
}

/// Modules that list children and define things as well.
pub fn parents(tree: &SourceTree) -> Vec<String> {
    let modules = tree.modules.iter().filter(|module| !module.is_test);
    modules
        .filter_map(|module| {
            let (child, definition) = (module.first_child?, module.first_definition?);
            Some(format!(
                "parents: {} defines things, and line {child} declares a child.\n  \
                 Move the definitions to a child of their own, named after what they are.",
                tree.place(&module.file, definition)
            ))
        })
        .collect()
}

/// Places where a deciding file names something outside the process.
pub fn outside(
    tree: &SourceTree,
    deciding: &[&str],
    outside: &[&str],
    methods: &[&str],
) -> Vec<String> {
    let mut problems = Vec::new();
    let modules = tree.modules.iter().filter(|module| {
        let decides = |floor: &&str| is_within(stem(&module.file), floor);
        !module.is_test && deciding.iter().any(decides)
    });
    for module in modules {
        for reference in &module.references {
            if let Some(name) = outside.iter().find(|name| names(&reference.path, name)) {
                problems.push(format!(
                    "outside: {} names `{}` (`{name}`); this file decides.\n  \
                     Do it in an adapter, and pass the result in as a value.",
                    tree.place(&module.file, reference.line),
                    reference.path.join("::")
                ));
            }
        }
        for call in &module.calls {
            if methods.contains(&call.method.as_str()) {
                problems.push(format!(
                    "outside: {} calls `.{}()`, which asks the file system; this file decides.\n  \
                     Do it in an adapter, and pass the result in as a value.",
                    tree.place(&module.file, call.line),
                    call.method
                ));
            }
        }
    }
    problems
}

/// Returns true where a path contains a name of one or more segments.
fn names(path: &[String], name: &str) -> bool {
    let name: Vec<&str> = name.split("::").collect();
    path.windows(name.len()).any(|part| {
        let mut pairs = part.iter().zip(&name);
        pairs.all(|(segment, name)| match name.strip_suffix('*') {
            Some(start) => segment.starts_with(start),
            None => segment == name,
        })
    })
}

fn stem(file: &str) -> &str {
    file.trim_end_matches(".rs").trim_end_matches("/mod")
}

fn is_within(stem: &str, floor: &str) -> bool {
    let rest = stem.strip_prefix(floor);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn describe(tree: &SourceTree, edge: &Edge) -> String {
    let place = tree.place(&edge.from, edge.line);
    format!("{place} imports `{}` of {}", edge.import, edge.to)
}

fn list(floors: &[&str]) -> String {
    if floors.is_empty() {
        return "no other floor".to_owned();
    }
    let floors: Vec<String> = floors.iter().map(|floor| format!("`{floor}`")).collect();
    floors.join(", ")
}
