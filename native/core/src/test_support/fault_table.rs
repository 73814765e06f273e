//! The page `docs/faults.md`, which is written from cells that were played.
//!
//! A test compares its peer's part of the page. With `FALCON_WRITE_FAULTS` set it writes that part instead.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::fault::{Fault, Rule};
use crate::report::problem::Problem;

/// The variable that has tests write the page.
const WRITE: &str = "FALCON_WRITE_FAULTS";

/// Tests of one process write one after another.
static PAGE: Mutex<()> = Mutex::new(());

/// End of a use of a request of which one was faulty.
#[derive(Debug)]
pub struct Played {
    /// The failure that the user gets, if it did not end well.
    pub failure: Option<Problem>,
    /// Requests that the stand-in answered with the fault.
    pub delivered: usize,
    /// Things that are there afterwards and were not before, beside the wanted result.
    pub left: Vec<&'static str>,
}

/// A fault of one kind of request: what happens if it passes, and if it does not.
#[derive(Debug)]
pub struct Cell {
    pub fault: Fault,
    /// Name of the request.
    pub request: &'static str,
    pub once: Played,
    pub always: Played,
}

impl Cell {
    /// Returns a line if the cell breaks a rule; `tries` is the number of requests after which a failure stays.
    fn breach(&self, rule: Rule, tries: usize) -> Option<String> {
        let (passes, stays, sent) = match rule {
            Rule::TriedAgain => (true, false, Some(tries)),
            Rule::Renewed => (true, false, Some(2)),
            Rule::Final => (false, false, Some(1)),
            Rule::NotBelieved => (false, false, None),
            Rule::Harmless => (true, true, None),
        };
        let is_as_expected = self.once.failure.is_none() == passes
            && self.always.failure.is_none() == stays
            && sent.is_none_or(|sent| sent == self.always.delivered);
        let ended = |played: &Played| match &played.failure {
            None => "goes on".to_owned(),
            Some(problem) => format!("{} {}", problem.code.as_str(), sentence(problem)),
        };
        (!is_as_expected).then(|| {
            format!(
                "{} × {:?} breaks {rule:?}: once {}; always {} after {}",
                self.request,
                self.fault,
                ended(&self.once),
                ended(&self.always),
                self.always.delivered
            )
        })
    }

    /// A row of the page without the request's name, so that requests with the same row share it.
    fn row(&self) -> String {
        let once = match &self.once.failure {
            None => "goes on".to_owned(),
            Some(problem) => format!("`{}`", problem.code.as_str()),
        };
        let (code, text) = match &self.always.failure {
            None => ("none".to_owned(), "The run goes on".to_owned()),
            Some(problem) => (format!("`{}`", problem.code.as_str()), sentence(problem)),
        };
        let left = match self.always.left.as_slice() {
            [] => "nothing".to_owned(),
            left => left.join(", "),
        };
        let text = text.replace('|', "\\|").replace('<', "\\<");
        format!(
            "{once} | {code} | {text} | {} | {left} |",
            self.always.delivered
        )
    }
}

/// The sentence of a failure with its reason.
fn sentence(problem: &Problem) -> String {
    let mut text = problem.what.clone();
    for why in &problem.why {
        let _ = write!(text, ": {why}");
    }
    text
}

/// The cells as Markdown.
fn render(cells: &[Cell]) -> String {
    let mut faults: BTreeMap<Fault, Vec<(String, Vec<&str>)>> = BTreeMap::new();
    for cell in cells {
        let rows = faults.entry(cell.fault).or_default();
        let row = cell.row();
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, requests)) => requests.push(cell.request),
            None => rows.push((row, vec![cell.request])),
        }
    }
    let mut page = String::new();
    for (fault, rows) in faults {
        let _ = write!(
            page,
            "\n### {}\n\n| requests | if it passes | if it stays | the user reads | requests sent | left behind |\n| --- | --- | --- | --- | --- | --- |\n",
            fault.title()
        );
        for (row, requests) in rows {
            let _ = writeln!(page, "| {} | {row}", requests.join(", "));
        }
    }
    page
}

/// Holds cells to their rules, and compares the part of the page about a peer with them, or writes it.
pub fn check(peer: &str, cells: Vec<(Cell, Rule)>, tries: usize) {
    let breaches = cells
        .iter()
        .filter_map(|(cell, rule)| cell.breach(*rule, tries));
    let breaches: Vec<String> = breaches.collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    let cells: Vec<Cell> = cells.into_iter().map(|(cell, _)| cell).collect();
    check_part(peer, &render(&cells));
}

/// Compares a part of the page, or writes it.
pub fn check_part(part: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/faults.md");
    let _guard = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let page = fs::read_to_string(&path).expect("docs/faults.md");
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- /{part} -->"));
    let from = page.find(&begin).expect("the beginning of the part") + begin.len();
    let to = page.find(&end).expect("the end of the part");
    let text = format!("{text}\n");
    if std::env::var_os(WRITE).is_some() {
        let page = [&page[..from], &text, &page[to..]].concat();
        fs::write(&path, page).expect("docs/faults.md is written");
    } else {
        let (known, text) = (page[from..to].trim(), text.trim());
        let first = known.lines().zip(text.lines()).find(|(a, b)| a != b);
        assert!(
            known == text,
            "docs/faults.md is out of date about {part}; `npm run faults` writes it. First difference: {first:#?}"
        );
    }
}
