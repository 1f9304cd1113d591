//! Searches through references: `subject:Patient.name`, `_has:Observation:patient:code`, and both together.

use std::borrow::Cow;

use iris_fhir::definitions::{ParamKind, SearchParam, definitions, kind_of};
use iris_kernel::Kind;
use iris_kernel::limits::{SEARCH_CHAIN_DEPTH_MAX, SEARCH_CHAINS_MAX};

use super::{Asked, Leaf, Reader, Trouble, shown};
use crate::chain::{Chain, Has, Link};
use crate::criteria::{Refusal, target};
use crate::plan::{Planned, Reading, follows, planned};
use crate::{Criterion, Query};

/// Most types that an untyped chain follows: a parameter that may lead anywhere must be asked with its type.
const UNTYPED_TARGETS_MAX: usize = 16;

impl Reader<'_> {
    /// `link.rest`: a reference of the record leads to a record of which `rest` holds. A link without a type goes to each type that
    /// it may lead to and that knows the parameter.
    pub(super) fn chain(
        &mut self,
        kind: Kind,
        (link, rest): (&str, &str),
        leaf: Leaf<'_>,
        depth: usize,
    ) -> Result<Asked, Trouble> {
        self.deeper(depth)?;
        let (code, of) = link.split_once(':').map_or((link, None), |(code, of)| (code, Some(of)));
        let Some(planned) = planned(kind, code) else { return Err(self.unknown(kind, code)) };
        let links = links(planned)?;
        let targets = match of {
            Some(name) => Cow::Owned(vec![target(planned, name).map_err(Trouble::Unserved)?]),
            None if planned.param.targets.is_empty() || planned.param.targets.len() > UNTYPED_TARGETS_MAX => {
                let what = format!("{code} may lead to many types; name one, as in {code}:Patient.{}", shown(rest));
                return Err(Trouble::Wrong(what.into()));
            }
            None => Cow::Borrowed(planned.param.targets),
        };
        let asks = if rest.is_empty() { "the condition".to_owned() } else { shown(rest) };
        let (mut group, mut unknown) = (Vec::new(), None);
        for &target in &*targets {
            // Those that lead nowhere are counted too: their number grows with every reference that is followed.
            self.one_more_chain()?;
            match self.asked(target, rest, leaf, depth + 1) {
                Ok(asked) => {
                    let inner = asked.query(target);
                    let param = planned.param.index;
                    let lead = links.iter().filter(|link| **link == Link::Reference || has_address(target));
                    let chain = |link: &Link| Chain { param, link: *link, target, inner: inner.clone() };
                    group.extend(lead.map(|link| Criterion::Chain(Box::new(chain(link)))));
                }
                Err(Trouble::Unknown(what)) => unknown = Some(what),
                Err(trouble) => {
                    let name = definitions().name_of(target);
                    return Err(trouble.told(|what| format!("leads to {name}, of which {asks} {what}").into()));
                }
            }
        }
        let nowhere = || "refers by canonical address, and no such type that it leads to has one".into();
        match unknown.filter(|_| group.is_empty()) {
            None if group.is_empty() => Err(Trouble::Wrong(nowhere())),
            Some(_) if targets.len() > 1 => {
                let what = format!("leads to no type of which {asks} is a search parameter");
                Err(Trouble::Unknown(what.into()))
            }
            Some(what) => Err(Trouble::Unknown(what)),
            None => Ok(Asked::group(group)),
        }
    }

    /// `_has:Type:reference:rest`, of which `path` is what stands after the first colon.
    pub(super) fn has(&mut self, kind: Kind, path: &str, leaf: Leaf<'_>, depth: usize) -> Result<Asked, Trouble> {
        const FORM: &str = "needs the form _has:Type:reference:parameter, such as _has:Observation:patient:code";
        self.deeper(depth)?;
        let mut parts = path.splitn(3, ':');
        let (Some(name), Some(code), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Trouble::Wrong(FORM.into()));
        };
        let source = kind_of(name).ok_or(FORM)?;
        let Some(planned) = planned(source, code) else { return Err(self.unknown(source, code)) };
        leads_back(planned)?;
        if !leads_to(planned.param, kind) {
            let what = format!("asks by {code}, which leads to no {}", definitions().name_of(kind));
            return Err(Trouble::Wrong(what.into()));
        }
        self.one_more_chain()?;
        let inner = self.asked(source, rest, leaf, depth + 1).map_err(|trouble| trouble.of(name, rest))?.query(source);
        let has = Has { kind: source, param: planned.param.index, inner };
        Ok(Asked::group(vec![Criterion::Has(Box::new(has))]))
    }

    fn deeper(&self, depth: usize) -> Result<(), Refusal> {
        if depth < SEARCH_CHAIN_DEPTH_MAX {
            return Ok(());
        }
        Err(format!("follows more than {SEARCH_CHAIN_DEPTH_MAX} references").into())
    }

    fn one_more_chain(&mut self) -> Result<(), Refusal> {
        self.chains += 1;
        if self.chains <= SEARCH_CHAINS_MAX {
            return Ok(());
        }
        Err(format!("leads more than {SEARCH_CHAINS_MAX} ways; name the types, as in subject:Patient.name").into())
    }
}

/// Whether a parameter may lead to a type.
pub(super) fn leads_to(param: &SearchParam, kind: Kind) -> bool {
    param.kind == ParamKind::Reference && (param.targets.is_empty() || param.targets.contains(&kind))
}

/// Whether records of a type have a canonical address.
fn has_address(kind: Kind) -> bool {
    planned(kind, "url").is_some()
}

/// How a parameter leads to records.
fn links(planned: &Planned) -> Result<Vec<Link>, Refusal> {
    if planned.param.kind != ParamKind::Reference {
        return Err(format!("{} is no reference and leads nowhere", planned.param.code).into());
    }
    let by_address = planned.reads(Reading::Uri).then_some(Link::Canonical);
    Ok(follows(planned).then_some(Link::Reference).into_iter().chain(by_address).collect())
}

/// From the matches of a search back to what they name by address would be another index.
fn leads_back(planned: &Planned) -> Result<(), Refusal> {
    if links(planned)?.contains(&Link::Reference) {
        return Ok(());
    }
    let code = planned.param.code;
    Err(format!("{code} refers by canonical address, which _has does not follow; search by the address").into())
}

impl Asked {
    /// The search that asks for this alone.
    fn query(self, kind: Kind) -> Query {
        Query { all: self.all, none: self.none, ..Query::everything(kind) }
    }
}
