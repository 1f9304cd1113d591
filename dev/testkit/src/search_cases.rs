//! Searches and what they find, as tables that people read: see `base/search/tests/cases/README.md` for how they are written. Everything
//! that answers searches is asked them.

use std::path::Path;

use serde_json::Value;

/// One file: some resources, and searches over them.
#[derive(Clone, Debug)]
pub struct SearchWorld {
    /// The file's name without its ending.
    pub name: String,
    /// The resources, in the order of the file.
    pub resources: Vec<SearchResource>,
    /// The searches, in the order of the file.
    pub cases: Vec<SearchCase>,
}

/// A resource of a world.
#[derive(Clone, Debug)]
pub struct SearchResource {
    /// The type of the resource.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its JSON.
    pub json: String,
}

/// One search and what it finds.
#[derive(Clone, Debug)]
pub struct SearchCase {
    /// The place, as `file:line`.
    pub at: String,
    /// The search as it stands in the file.
    pub text: String,
    /// The type that is searched; `None` for the whole system.
    pub kind: Option<String>,
    /// The parameters, not encoded.
    pub pairs: Vec<(String, String)>,
    /// The answer.
    pub expect: Expect,
}

/// The answer to a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// These, in any order; of the whole system as `Type/id`.
    Found(Vec<String>),
    /// These, in this order.
    Ordered(Vec<String>),
    /// None: it is refused with faults at these names.
    Refused(Vec<String>),
}

/// Every world, in the order of their names.
///
/// # Panics
/// Where a file cannot be read or understood; the message names the line.
#[must_use]
pub fn search_worlds() -> Vec<SearchWorld> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../base/search/tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            world(&name, &std::fs::read_to_string(path).expect("a file of cases"))
        })
        .collect()
}

/// Reads one file.
fn world(name: &str, text: &str) -> SearchWorld {
    let mut world = SearchWorld { name: name.to_owned(), resources: Vec::new(), cases: Vec::new() };
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let at = format!("{name}.txt:{}", number + 1);
        if line.starts_with('{') {
            let mut json = line.to_owned();
            while let Some((_, more)) = lines.next_if(|(_, line)| line.starts_with(' ')) {
                json.push_str(more);
            }
            world.resources.push(resource(&at, json));
        } else if !line.is_empty() && !line.starts_with('#') {
            world.cases.push(case(at, line));
        }
    }
    world
}

fn resource(at: &str, json: String) -> SearchResource {
    let read: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{at}: {error}"));
    let member = |name: &str| read[name].as_str().unwrap_or_else(|| panic!("{at}: no {name}")).to_owned();
    SearchResource { kind: member("resourceType"), id: member("id"), json }
}

fn case(at: String, line: &str) -> SearchCase {
    let marks = [" -> ", " => ", " !! "];
    let found = marks.iter().find_map(|mark| line.rsplit_once(mark).map(|(text, answer)| (*mark, text, answer)));
    let (mark, text, answer) = found.unwrap_or_else(|| panic!("{at}: no answer"));
    let words = || answer.split_whitespace().filter(|word| *word != "(none)").map(str::to_owned).collect();
    let expect = match mark {
        " -> " => Expect::Found(words()),
        " => " => Expect::Ordered(words()),
        _ => Expect::Refused(words()),
    };
    let (kind, query) = text.split_once('?').unwrap_or_else(|| panic!("{at}: no ?"));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("{at}: no = in {pair}"));
        (name.to_owned(), value.to_owned())
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    let kind = Some(kind.to_owned()).filter(|kind| !kind.is_empty());
    SearchCase { at, text: text.to_owned(), kind, pairs, expect }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_read_as_it_stands() {
        let text = "# words\n{\"resourceType\": \"Patient\",\n \"id\": \"a\"}\n\nPatient?family=x&given:exact=y -> a\n?_type=Patient => Patient/a\nPatient?x= !! x\nPatient?a=b -> (none)\n";
        let world = world("w", text);
        assert_eq!((world.resources.len(), world.resources[0].id.as_str()), (1, "a"));
        let expected: Vec<_> = world.cases.iter().map(|case| case.expect.clone()).collect();
        let of = |word: &str| vec![word.to_owned()];
        let wanted = [
            Expect::Found(of("a")),
            Expect::Ordered(of("Patient/a")),
            Expect::Refused(of("x")),
            Expect::Found(Vec::new()),
        ];
        assert_eq!(expected, wanted);
        assert_eq!(world.cases[0].pairs[1], ("given:exact".to_owned(), "y".to_owned()));
        assert_eq!((world.cases[1].kind.as_deref(), &*world.cases[0].at), (None, "w.txt:5"));
    }
}
