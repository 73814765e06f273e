//! The names that a module defines and the paths that it refers to.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Arm, Attribute, Field, FieldValue, Ident, ImplItem, Item, ItemUse, Local, Meta, StmtMacro,
    Token, TraitItem, UseTree, Variant,
};

use crate::source_tree::{Module, Name};

/// A path as it is written.
pub struct Reference {
    /// Its segments; an empty first one makes it a path from outside the crate, as in `::std::fs`.
    pub path: Vec<String>,
    pub line: usize,
    /// True in a `use`, which can import a module as such.
    pub is_use: bool,
}

/// A call of a method by its name alone, since syn knows no types.
pub struct Call {
    pub method: String,
    pub line: usize,
}

/// Reads an item of a module: its name, and the paths in it that are compiled without tests.
pub fn read(module: &mut Module, item: &Item) {
    if !matches!(item, Item::Use(_)) {
        let line = syn::spanned::Spanned::span(item).start().line;
        module.first_definition.get_or_insert(line);
    }
    let generated = match item {
        Item::Macro(item) => defined_in(item.mac.tokens.clone()),
        _ => Vec::new(),
    };
    for name in name(item).map(text).into_iter().chain(generated) {
        module.names.entry(name).or_default().push(Name::Item);
    }
    Reader { module }.visit_item(item);
}

fn name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

/// The names that a macro's tokens seem to define, as `Code` in `pub enum Code { … }`.
fn defined_in(tokens: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let mut after_keyword = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if after_keyword => {
                names.push(text(&ident));
                after_keyword = false;
            }
            TokenTree::Ident(ident) => {
                let keywords = ["const", "enum", "fn", "static", "struct", "trait", "type"];
                after_keyword = keywords.iter().any(|keyword| ident == keyword);
            }
            TokenTree::Group(group) => names.extend(defined_in(group.stream())),
            _ => after_keyword = false,
        }
    }
    names
}

/// The attributes of a node of syn's that comes in variants.
macro_rules! attributes_of {
    ($node:expr, $kind:ident: $($variant:ident)*) => {
        match $node {
            $($kind::$variant(inner) => &inner.attrs,)*
            _ => &[],
        }
    };
}

pub fn attributes(item: &Item) -> &[Attribute] {
    attributes_of!(item, Item: Const Enum ExternCrate Fn ForeignMod Impl Macro Mod Static Struct
        Trait TraitAlias Type Union Use)
}

/// Returns true where an attribute leaves the code to tests, as `#[cfg(test)]` does.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .any(|condition| needs_test(&condition))
}

fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else {
        return condition.path().is_ident("test");
    };
    let parts = list
        .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .unwrap_or_default();
    if list.path.is_ident("all") {
        parts.iter().any(needs_test)
    } else {
        list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test)
    }
}

struct Reader<'m> {
    module: &'m mut Module,
}

impl Reader<'_> {
    fn refer(&mut self, path: Vec<String>, line: usize, is_use: bool) {
        if !path.is_empty() {
            self.module
                .references
                .push(Reference { path, line, is_use });
        }
    }

    /// Reads a `use` with the segments before it.
    fn import(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(tree) => {
                path.push(text(&tree.ident));
                self.import(&tree.tree, path);
            }
            UseTree::Name(tree) => self.import_as(path, &tree.ident, None),
            UseTree::Rename(tree) => self.import_as(path, &tree.ident, Some(&tree.rename)),
            UseTree::Glob(tree) => {
                let line = tree.star_token.span.start().line;
                self.module.globs.push(path.clone());
                self.refer(path, line, true);
            }
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    self.import(tree, path.clone());
                }
            }
        }
    }

    fn import_as(&mut self, mut path: Vec<String>, ident: &Ident, rename: Option<&Ident>) {
        // `use a::{self}` imports `a`.
        if path.is_empty() || ident != "self" {
            path.push(text(ident));
        }
        let name = rename.map_or_else(|| path[path.len() - 1].clone(), text);
        let names = self.module.names.entry(name).or_default();
        names.push(Name::Import(path.clone()));
        self.refer(path, ident.span().start().line, true);
    }
}

fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Visits a node unless only tests are compiled with it.
macro_rules! skip_tests {
    ($($visit:ident($node:ident: $kind:ty) $attributes:expr;)*) => {
        $(fn $visit(&mut self, $node: &'ast $kind) {
            if !is_test($attributes) {
                visit::$visit(self, $node);
            }
        })*
    };
}

impl<'ast> Visit<'ast> for Reader<'_> {
    skip_tests! {
        visit_item(node: Item) attributes(node);
        visit_impl_item(node: ImplItem) attributes_of!(node, ImplItem: Const Fn Type Macro);
        visit_trait_item(node: TraitItem) attributes_of!(node, TraitItem: Const Fn Type Macro);
        visit_field(node: Field) &node.attrs;
        visit_field_value(node: FieldValue) &node.attrs;
        visit_variant(node: Variant) &node.attrs;
        visit_arm(node: Arm) &node.attrs;
        visit_local(node: Local) &node.attrs;
        visit_stmt_macro(node: StmtMacro) &node.attrs;
    }

    fn visit_item_use(&mut self, node: &'ast ItemUse) {
        let from_outside = node.leading_colon.map(|_| String::new());
        self.import(&node.tree, from_outside.into_iter().collect());
    }

    fn visit_path(&mut self, node: &'ast syn::Path) {
        let from_outside = node.leading_colon.map(|_| String::new());
        let segments = node.segments.iter().map(|segment| text(&segment.ident));
        let path = from_outside.into_iter().chain(segments).collect();
        let line = node.segments[0].ident.span().start().line;
        self.refer(path, line, false);
        visit::visit_path(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        self.module.calls.push(Call {
            method: text(&node.method),
            line: node.method.span().start().line,
        });
        visit::visit_expr_method_call(self, node);
    }

    /// Reads the paths among a macro's tokens, which syn does not parse.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        let mut path = Vec::new();
        let mut line = 0;
        let mut before = String::new();
        for token in tokens.clone() {
            match token {
                TokenTree::Punct(punct) => before.push(punct.as_char()),
                TokenTree::Ident(ident) => {
                    if path.is_empty() || before != "::" {
                        self.refer(std::mem::take(&mut path), line, false);
                        line = ident.span().start().line;
                    }
                    // A field in a macro looks like a method; deciding has no field of such a name.
                    if before == "." {
                        self.module.calls.push(Call {
                            method: text(&ident),
                            line: ident.span().start().line,
                        });
                    }
                    path.push(text(&ident));
                    before.clear();
                }
                TokenTree::Group(group) => {
                    self.refer(std::mem::take(&mut path), line, false);
                    before.clear();
                    self.visit_token_stream(&group.stream());
                }
                TokenTree::Literal(_) => {
                    self.refer(std::mem::take(&mut path), line, false);
                    before.clear();
                }
            }
        }
        self.refer(path, line, false);
    }
}
