//! What stored ValueSets and CodeSystems say of codes, for `:in`, `:not-in`, `:above` and `:below`; R4's own come from the
//! definitions.
//!
//! A code system counts only if it is stored whole (`content` is `complete`), and as a hierarchy only where its codes specialise each
//! other (`hierarchyMeaning` is `is-a`, or is not said). What cannot be told in full is refused: a part of a value set would hide
//! records.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use iris_access::Caller;
use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_fhir::json::Value;
use iris_index::Page as Window;
use iris_kernel::limits::SEARCH_EXPANSION_MAX;
use iris_kernel::{Kind, Tenant};
use iris_search::{Coded, Criterion, Defined, Query, Terminology, Total, Unknown, parameter, term};
use iris_store::{Change, Follower};
use parking_lot::Mutex;

use crate::Records;
use crate::permits::{Granted, Ids, Permits, Whose};
use crate::refusal::Refusal;
use crate::stored::Stored;

/// How deep value sets may be made of value sets.
pub const VALUE_SET_DEPTH_MAX: usize = 8;
/// Most codes that all kept answers have together.
const KEPT_CODES_MAX: usize = 100_000;
/// Most stored versions of one address that are looked through for the one that is meant.
const VERSIONS_MAX: usize = 100;

/// A question that was answered before.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Question {
    Expand(String),
    Below(String, String),
    Above(String, String),
}

/// What of the stored ValueSets and CodeSystems somebody sees: the digest of what each permit leaves out; `None` without a permit.
/// What is hidden decides an answer as much as what is seen, as it may be the version that is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sight {
    tenant: Tenant,
    digests: [Option<[u8; 32]>; 2],
}

impl Sight {
    fn of(permits: &mut Permits) -> Self {
        let tenant = permits.caller.tenant;
        let digests =
            ["ValueSet", "CodeSystem"].map(|name| Some(permits.get(kind_of(name)?)?.permit.restriction().digest()));
        Self { tenant, digests }
    }
}

/// An answer, for all who see the same.
struct Kept {
    sight: Sight,
    question: Question,
    made_at: u64,
    codes: Arc<Vec<Coded>>,
}

/// Answers of before. A change to any ValueSet or CodeSystem, on any node, ends all of them.
#[derive(Default)]
pub(crate) struct Codes {
    changes: AtomicU64,
    kept: Mutex<VecDeque<Kept>>,
}

impl Follower for Codes {
    fn committed(&self, changes: &mut [Change]) {
        let [value_set, code_system] = [kind_of("ValueSet"), kind_of("CodeSystem")];
        let counts = |change: &Change| Some(change.kind) == value_set || Some(change.kind) == code_system;
        if changes.iter().any(counts) {
            self.changes.fetch_add(1, Ordering::Release);
        }
    }
}

impl Codes {
    fn get(&self, sight: Sight, question: &Question) -> Option<Arc<Vec<Coded>>> {
        let now = self.changes.load(Ordering::Acquire);
        let mut kept = self.kept.lock();
        kept.retain(|kept| kept.made_at == now);
        let found = kept.iter().find(|kept| kept.sight == sight && kept.question == *question)?;
        Some(Arc::clone(&found.codes))
    }

    fn keep(&self, new: Kept) {
        let mut kept = self.kept.lock();
        kept.retain(|kept| kept.sight != new.sight || kept.question != new.question);
        kept.push_back(new);
        // An answer without codes takes room as well.
        while kept.iter().map(|kept| kept.codes.len() + 1).sum::<usize>() > KEPT_CODES_MAX {
            kept.pop_front();
        }
    }
}

/// The codes that one caller may ask for; see [`Records::terminology`].
pub struct StoredCodes<'r> {
    records: &'r Records,
    permits: Mutex<Permits>,
}

impl Records {
    /// What is known of codes to this caller, who sees ValueSets and CodeSystems by their own permission: for
    /// [`iris_search::QueryContext`].
    #[must_use]
    pub fn terminology(&self, caller: &Arc<Caller>) -> StoredCodes<'_> {
        StoredCodes { records: self, permits: Mutex::new(Permits::of(caller)) }
    }
}

impl StoredCodes<'_> {
    /// An answer of before, or a new one, which is kept. What the definitions have is not asked for here.
    fn answer(
        &self,
        question: Question,
        make: impl FnOnce(&mut Making<'_>) -> Result<Vec<Coded>, Unknown>,
    ) -> Result<Vec<Coded>, Unknown> {
        let mut permits = self.permits.lock();
        let sight = Sight::of(&mut permits);
        if let Some(known) = self.records.codes.get(sight, &question) {
            return Ok(known.to_vec());
        }
        // Before anything is read: a change that comes meanwhile ends what is made of what was before it.
        let made_at = self.records.codes.changes.load(Ordering::Acquire);
        let mut making = Making { records: self.records, permits: &mut permits, open: HashSet::new() };
        let codes = make(&mut making)?;
        if codes.len() > SEARCH_EXPANSION_MAX {
            return Err(Unknown::TooMany);
        }
        self.records.codes.keep(Kept { sight, question, made_at, codes: Arc::new(codes.clone()) });
        Ok(codes)
    }
}

impl Terminology for StoredCodes<'_> {
    fn expand(&self, value_set: &str) -> Result<Vec<Coded>, Unknown> {
        match Defined.expand(value_set) {
            Err(Unknown::ValueSet | Unknown::Codes) => {}
            known => return known,
        }
        let question = Question::Expand(value_set.to_owned());
        self.answer(question, |making| Ok(making.value_set(value_set, 0)?.into_iter().collect()))
    }

    fn below(&self, system: &str, code: &str) -> Result<Vec<String>, Unknown> {
        match Defined.below(system, code) {
            Err(Unknown::Hierarchy) => {}
            known => return known,
        }
        let question = Question::Below(system.to_owned(), code.to_owned());
        self.answer(question, |making| making.below(system, code)).map(codes_of)
    }

    fn above(&self, system: &str, code: &str) -> Result<Vec<String>, Unknown> {
        match Defined.above(system, code) {
            Err(Unknown::Hierarchy) => {}
            known => return known,
        }
        let question = Question::Above(system.to_owned(), code.to_owned());
        self.answer(question, |making| making.above(system, code)).map(codes_of)
    }
}

fn codes_of(codes: Vec<Coded>) -> Vec<String> {
    codes.into_iter().map(|coded| coded.code).collect()
}

type Set = BTreeSet<Coded>;

/// One answer while it is made.
struct Making<'m> {
    records: &'m Records,
    permits: &'m mut Permits,
    /// The value sets within which this one stands: none is made of itself.
    open: HashSet<String>,
}

impl Making<'_> {
    /// The stored resource of this address, as far as the caller may see it.
    fn resource(&mut self, name: &str, address: &str) -> Result<Option<Resource>, Unknown> {
        let found = self.find(name, address).map_err(|cause| {
            tracing::warn!(%cause, "terminology could not be read");
            Unknown::Codes
        })?;
        let Some(stored) = found else { return Ok(None) };
        stored.resource().map(Some).map_err(|_| Unknown::Codes)
    }

    /// By `ValueSet/id`, or by canonical address: of several versions the one that is named, else the active one that was written last.
    fn find(&mut self, name: &str, address: &str) -> Result<Option<Stored>, Refusal> {
        let (Some(kind), (url, version)) = (kind_of(name), address.split_once('|').unwrap_or((address, ""))) else {
            return Ok(None);
        };
        let local = url.strip_prefix(&*self.records.base_url).and_then(|rest| rest.strip_prefix('/')).unwrap_or(url);
        if let Some(id) = local.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')) {
            let wanted = Ids::from([(kind, [id.to_owned()].into())]);
            return Ok(self.records.fetch_ids(self.permits, &wanted, Whose::All)?.pop());
        }
        let Some(granted) = self.permits.get(kind) else { return Ok(None) };
        let mut versions = self.versions(kind, url, &granted)?;
        versions.sort_by_key(|(stored, _)| stored.at);
        let mut best = None;
        for (stored, resource) in versions {
            let root = resource.root();
            let is_meant = version.is_empty() || root.str_of("version").as_deref() == Some(version);
            let is_active = root.str_of("status").as_deref() == Some("active");
            let was_active = matches!(best, Some((_, true)));
            if is_meant && (is_active || !was_active) {
                best = Some((stored, is_active));
            }
        }
        Ok(best.map(|(stored, _)| stored))
    }

    fn versions(&self, kind: Kind, url: &str, granted: &Granted) -> Result<Vec<(Stored, Resource)>, Refusal> {
        let Some(param) = parameter(kind, "url") else { return Ok(Vec::new()) };
        let all = vec![vec![Criterion::Term(term::uri(param.index, url))]];
        let query = Query { all, total: Total::None, ..Query::everything(kind) };
        let window = Window { size: VERSIONS_MAX, after: None };
        let hits = self.records.index.search(granted.permit.tenant(), &query, &granted.restriction, window)?;
        let found = self.records.fetch(&granted.permit, kind, &hits.seqs)?;
        found.into_iter().map(|stored| stored.resource().map(|resource| (stored, resource))).collect()
    }

    fn value_set(&mut self, address: &str, depth: usize) -> Result<Set, Unknown> {
        match Defined.expand(address) {
            Err(Unknown::ValueSet | Unknown::Codes) => {}
            known => return known.map(|codes| codes.into_iter().collect()),
        }
        if depth >= VALUE_SET_DEPTH_MAX || !self.open.insert(address.to_owned()) {
            return Err(Unknown::Codes);
        }
        let resource = self.resource("ValueSet", address)?.ok_or(Unknown::ValueSet)?;
        let root = resource.root();
        let codes = match (root.get("compose"), root.get("expansion")) {
            (Some(compose), _) => self.composed(compose, depth),
            (None, Some(expansion)) => expanded(expansion),
            (None, None) => Err(Unknown::Codes),
        };
        self.open.remove(address);
        codes
    }

    fn composed(&mut self, compose: Value<'_>, depth: usize) -> Result<Set, Unknown> {
        let mut all = Set::new();
        for include in items(compose, "include") {
            all.extend(self.included_codes(include, depth)?);
            if all.len() > SEARCH_EXPANSION_MAX {
                return Err(Unknown::TooMany);
            }
        }
        for exclude in items(compose, "exclude") {
            let without = self.included_codes(exclude, depth)?;
            all.retain(|coded| !without.contains(coded));
        }
        Ok(all)
    }

    /// The codes of one `include`: those of its system that are in each of its value sets (R4 valueset.html#compositions).
    fn included_codes(&mut self, include: Value<'_>, depth: usize) -> Result<Set, Unknown> {
        let mut codes: Option<Set> = None;
        if let Some(system) = include.str_of("system") {
            codes = Some(self.of_system(include, &system)?);
        }
        for address in items(include, "valueSet").filter_map(Value::as_str) {
            let inner = self.value_set(&address, depth + 1)?;
            codes = Some(match codes {
                None => inner,
                Some(codes) => codes.intersection(&inner).cloned().collect(),
            });
        }
        codes.ok_or(Unknown::Codes)
    }

    fn of_system(&mut self, include: Value<'_>, system: &str) -> Result<Set, Unknown> {
        if include.get("concept").is_some() {
            let codes =
                items(include, "concept").filter_map(|concept| concept.str_of("code").map(|code| coded(system, &code)));
            return Ok(codes.collect());
        }
        let tree = self.tree(system)?;
        let mut codes: Option<Vec<String>> = None;
        for filter in items(include, "filter") {
            let part = |name: &str| filter.str_of(name).unwrap_or_default().into_owned();
            if part("property") != "concept" {
                return Err(Unknown::Codes);
            }
            let (op, value) = (part("op"), part("value"));
            let mut found = match op.as_str() {
                "is-a" | "descendent-of" => tree.below(&value)?,
                "=" => vec![value.clone()],
                _ => return Err(Unknown::Codes),
            };
            if op == "descendent-of" {
                found.retain(|code| *code != value);
            }
            codes = Some(match codes {
                None => found,
                Some(codes) => codes.into_iter().filter(|code| found.contains(code)).collect(),
            });
        }
        let codes = codes.unwrap_or_else(|| tree.nodes.iter().map(|node| node.code.clone()).collect());
        Ok(codes.iter().map(|code| coded(system, code)).collect())
    }

    fn tree(&mut self, system: &str) -> Result<Tree, Unknown> {
        let resource = self.resource("CodeSystem", system)?.ok_or(Unknown::Codes)?;
        Tree::of(resource.root())
    }

    fn below(&mut self, system: &str, code: &str) -> Result<Vec<Coded>, Unknown> {
        let tree = self.tree(system).map_err(hierarchy)?;
        Ok(tree.below(code)?.iter().map(|code| coded(system, code)).collect())
    }

    fn above(&mut self, system: &str, code: &str) -> Result<Vec<Coded>, Unknown> {
        let tree = self.tree(system).map_err(hierarchy)?;
        Ok(tree.above(code)?.iter().map(|code| coded(system, code)).collect())
    }
}

fn hierarchy(unknown: Unknown) -> Unknown {
    if unknown == Unknown::TooMany { unknown } else { Unknown::Hierarchy }
}

fn coded(system: &str, code: &str) -> Coded {
    Coded { system: system.to_owned(), code: code.to_owned() }
}

fn items<'a>(value: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> + use<'a> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// The codes of an expansion that is stored with its value set, if it is whole.
fn expanded(expansion: Value<'_>) -> Result<Set, Unknown> {
    let mut codes = Set::new();
    let mut open: Vec<Value<'_>> = items(expansion, "contains").collect();
    while let Some(contains) = open.pop() {
        let is_abstract = contains.get("abstract").and_then(Value::as_bool) == Some(true);
        if let (Some(system), Some(code), false) = (contains.str_of("system"), contains.str_of("code"), is_abstract) {
            codes.insert(coded(&system, &code));
        }
        if codes.len() > SEARCH_EXPANSION_MAX {
            return Err(Unknown::TooMany);
        }
        open.extend(items(contains, "contains"));
    }
    let total = expansion.get("total").and_then(|total| std::str::from_utf8(total.raw()).ok()?.parse::<usize>().ok());
    if total.is_some_and(|total| total > codes.len()) { Err(Unknown::Codes) } else { Ok(codes) }
}

/// The codes of a system, each with the place of those above it.
struct Tree {
    nodes: Vec<Node>,
    is_hierarchy: bool,
}

struct Node {
    code: String,
    parents: Vec<String>,
}

impl Tree {
    fn of(system: Value<'_>) -> Result<Self, Unknown> {
        if system.str_of("content").as_deref() != Some("complete") {
            return Err(Unknown::Codes);
        }
        let meaning = system.str_of("hierarchyMeaning");
        let is_hierarchy = meaning.is_none_or(|meaning| meaning == "is-a");
        let mut tree = Self { nodes: Vec::new(), is_hierarchy };
        let mut open: Vec<(Value<'_>, Option<String>)> = items(system, "concept").map(|one| (one, None)).collect();
        while let Some((concept, parent)) = open.pop() {
            let code = concept.str_of("code").ok_or(Unknown::Codes)?.into_owned();
            let named =
                items(concept, "property").filter(|property| property.str_of("code").as_deref() == Some("parent"));
            let named = named.filter_map(|property| property.str_of("valueCode").map(std::borrow::Cow::into_owned));
            let parents = parent.into_iter().chain(named).collect();
            open.extend(items(concept, "concept").map(|inner| (inner, Some(code.clone()))));
            tree.nodes.push(Node { code, parents });
        }
        Ok(tree)
    }

    /// The code, and whatever the edges lead to from it.
    fn closure(&self, code: &str, edges: &HashMap<&str, Vec<&str>>) -> Result<Vec<String>, Unknown> {
        if !self.is_hierarchy || !self.nodes.iter().any(|node| node.code == code) {
            return Err(Unknown::Hierarchy);
        }
        let (mut found, mut open) = (BTreeSet::from([code]), vec![code]);
        while let Some(code) = open.pop() {
            open.extend(edges.get(code).into_iter().flatten().filter(|other| found.insert(**other)));
            if found.len() > SEARCH_EXPANSION_MAX {
                return Err(Unknown::TooMany);
            }
        }
        Ok(found.into_iter().map(str::to_owned).collect())
    }

    fn below(&self, code: &str) -> Result<Vec<String>, Unknown> {
        let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
        for node in &self.nodes {
            for parent in &node.parents {
                children.entry(parent).or_default().push(&node.code);
            }
        }
        self.closure(code, &children)
    }

    fn above(&self, code: &str) -> Result<Vec<String>, Unknown> {
        let mut parents: HashMap<&str, Vec<&str>> = HashMap::new();
        for node in &self.nodes {
            parents.entry(&node.code).or_default().extend(node.parents.iter().map(String::as_str));
        }
        self.closure(code, &parents)
    }
}
