//! Which modules of a crate use which, read from the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, UseTree, Visibility};

/// The name of the crate's first module in what is shown.
const FIRST: &str = "(lib.rs)";

type Module = Vec<String>;

/// The modules of a crate, by their paths from its root.
pub struct Crate(BTreeMap<Module, Source>);

#[derive(Default)]
struct Source {
    /// Paths that its code names, from the module itself: `crate::a::B`, `super::c`.
    paths: BTreeSet<Vec<String>>,
    /// Names that it takes from elsewhere, with their paths: its children and users find them here.
    taken: BTreeMap<String, Vec<String>>,
    /// Paths taken with `*`.
    globs: Vec<Vec<String>>,
}

impl Crate {
    /// Reads a crate from its first file; modules are followed to their files.
    pub fn read(first: &Path) -> Self {
        let mut modules = Self(BTreeMap::new());
        modules.read_file(Vec::new(), first, first.parent().expect("a folder"));
        modules
    }

    /// A crate of given sources: the path of each module, empty for the first, and its text.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let modules = files.iter().map(|(path, text)| {
            let path: Module = path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            (path, Source::of(&syn::parse_file(text).expect("Rust").items))
        });
        Self(modules.collect())
    }

    fn read_file(&mut self, module: Module, file: &Path, folder: &Path) {
        let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for item in &parsed.items {
            let Item::Mod(ItemMod { ident, content: None, attrs, .. }) = item else { continue };
            if is_test(attrs) {
                continue;
            }
            let name = ident.to_string();
            let (own, nested) = (folder.join(format!("{name}.rs")), folder.join(&name));
            let path = [module.as_slice(), &[name]].concat();
            if own.is_file() {
                self.read_file(path, &own, &nested);
            } else {
                self.read_file(path, &nested.join("mod.rs"), &nested);
            }
        }
        self.0.insert(module, Source::of(&parsed.items));
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// For each module those that it uses. What a module only passes on (`pub use`) is used by whoever names it.
    pub fn uses(&self) -> BTreeMap<String, BTreeSet<String>> {
        let shown = |module: &Module| if module.is_empty() { FIRST.to_owned() } else { module.join("::") };
        let used = |from: &Module, source: &Source| {
            let targets = source.paths.iter().filter_map(|path| self.resolve(from, path, 0));
            targets.filter(|to| to != from).map(|to| shown(&to)).collect()
        };
        self.0.iter().map(|(module, source)| (shown(module), used(module, source))).collect()
    }

    /// The module that defines what a path names; nothing for another crate's.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        if depth > 16 {
            return None;
        }
        let mut at = from.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (at, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    at.pop()?;
                    rest = &rest[1..];
                }
            }
            name if !self.0.contains_key(&[at.as_slice(), &[name.to_owned()]].concat()) => {
                let taken = self.0.get(&at)?.taken.get(name)?;
                // The name of another crate, or of what a `use` of this module brought.
                return self.resolve(&at, &[taken.as_slice(), &path[1..]].concat(), depth + 1);
            }
            _ => {}
        }
        while let Some((name, behind)) = rest.split_first() {
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.0.contains_key(&child) {
                (at, rest) = (child, behind);
                continue;
            }
            let source = self.0.get(&at)?;
            if let Some(taken) = source.taken.get(name) {
                return self.resolve(&at, &[taken.as_slice(), behind].concat(), depth + 1);
            }
            let glob = source.globs.iter().find_map(|glob| {
                let module = self.resolve(&at, glob, depth + 1)?;
                let found = self.0.get(&module)?.taken.contains_key(name);
                found.then(|| self.resolve(&module, rest, depth + 1)).flatten()
            });
            return Some(glob.unwrap_or(at));
        }
        Some(at)
    }
}

impl Source {
    fn of(items: &[Item]) -> Self {
        let mut source = Self::default();
        for item in items {
            source.visit_item(item);
        }
        source
    }

    fn take(&mut self, tree: &UseTree, mut path: Vec<String>, passed_on: bool) {
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.take(&part.tree, path, passed_on);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take(tree, path.clone(), passed_on)),
            UseTree::Glob(_) => {
                if !passed_on {
                    self.paths.insert(path.clone());
                }
                self.globs.push(path);
            }
            UseTree::Name(_) | UseTree::Rename(_) => {
                let (name, shown) = match tree {
                    UseTree::Rename(part) => (part.ident.to_string(), part.rename.to_string()),
                    UseTree::Name(part) => (part.ident.to_string(), part.ident.to_string()),
                    _ => unreachable!("the arms above"),
                };
                let shown = if name == "self" { path.last().cloned().unwrap_or_default() } else { shown };
                if name != "self" {
                    path.push(name);
                }
                if !passed_on {
                    self.paths.insert(path.clone());
                }
                // `use serde_json` or `mod a; use a` would name itself.
                if path != [shown.clone()] {
                    self.taken.insert(shown, path);
                }
            }
        }
    }

    /// Paths in the tokens of a macro, which have no syntax tree.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 && !path.is_empty() => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.name(std::mem::take(&mut path));
                    path.push(name.to_string());
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.name(std::mem::take(&mut path));
                    self.read_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.name(std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.name(path);
    }

    fn name(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Mod(module) if is_test(&module.attrs) => {}
            Item::Fn(function) if is_test(&function.attrs) => {}
            Item::Use(taken) if is_test(&taken.attrs) => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.take(&item.tree, Vec::new(), !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.name(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.read_tokens(item.tokens.clone());
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        let words = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        is_cfg && words.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
    })
}
