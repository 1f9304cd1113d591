//! Searches through references: `subject:Patient.name`, `_has:Observation:patient:code`, and both together.

use std::borrow::Cow;

use iris_fhir::definitions::{ParamKind, SearchParam, definitions, kind_of};
use iris_kernel::Kind;
use iris_kernel::limits::{SEARCH_CHAIN_DEPTH_MAX, SEARCH_CHAINS_MAX};

use super::{Asked, Leaf, Reader, Trouble, shown};
use crate::chain::{Chain, Has};
use crate::criteria::{Refusal, target};
use crate::plan::{Planned, follows, planned};
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
        leads_somewhere(planned)?;
        let targets = match of {
            Some(name) => Cow::Owned(vec![target(planned, name)?]),
            None if planned.param.targets.is_empty() || planned.param.targets.len() > UNTYPED_TARGETS_MAX => {
                let what = format!("{code} may lead to many types; name one, as in {code}:Patient.{}", shown(rest));
                return Err(Trouble::Wrong(what.into()));
            }
            None => Cow::Borrowed(planned.param.targets),
        };
        let (mut group, mut unknown) = (Vec::new(), None);
        for &target in &*targets {
            // Those that lead nowhere are counted too: their number grows with every reference that is followed.
            self.one_more_chain()?;
            match self.asked(target, rest, leaf, depth + 1) {
                Ok(asked) => {
                    let inner = asked.query(target);
                    group.push(Criterion::Chain(Box::new(Chain { param: planned.param.index, target, inner })));
                }
                Err(Trouble::Unknown(what)) => unknown = Some(what),
                Err(Trouble::Wrong(what)) => {
                    let name = definitions().name_of(target);
                    return Err(Trouble::Wrong(format!("leads to {name}, of which {} {what}", shown(rest)).into()));
                }
            }
        }
        match unknown.filter(|_| group.is_empty()) {
            Some(_) if targets.len() > 1 => {
                let what = format!("leads to no type of which {} is a search parameter", shown(rest));
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
        leads_somewhere(planned)?;
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

/// A canonical address is no place of a record here: to follow it would find nothing, whatever is stored.
fn leads_somewhere(planned: &Planned) -> Result<(), Refusal> {
    let code = planned.param.code;
    if planned.param.kind != ParamKind::Reference {
        return Err(format!("{code} is no reference and leads nowhere").into());
    }
    if follows(planned) {
        return Ok(());
    }
    Err(format!("{code} refers by canonical address, which is not followed; search by the address").into())
}

impl Asked {
    /// The search that asks for this alone.
    fn query(self, kind: Kind) -> Query {
        Query { all: self.all, none: self.none, ..Query::everything(kind) }
    }
}
