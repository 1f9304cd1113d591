//! `_include` and `_revinclude`: what comes along with the matches.

use iris_fhir::definitions::{ParamKind, definitions, kind_of};
use iris_kernel::Kind;
use iris_kernel::limits::SEARCH_INCLUDES_MAX;

use super::chains::leads_to;
use super::{Reader, Trouble};
use crate::chain::Include;
use crate::criteria::Refusal;
use crate::plan::planned;

const FORM: &str = "needs the form Type:reference or Type:reference:Type, such as Observation:subject:Patient, with * for all references, or * alone for those of every type";

/// In which direction references are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Along {
    /// What the matches refer to.
    Forward,
    /// What refers to the matches.
    Backward,
}

/// The direction that the name of a parameter stands for, and its modifier.
pub(super) fn along(name: &str) -> Option<(Along, Option<&str>)> {
    let (base, modifier) = name.split_once(':').map_or((name, None), |(base, modifier)| (base, Some(modifier)));
    match base {
        "_include" => Some((Along::Forward, modifier)),
        "_revinclude" => Some((Along::Backward, modifier)),
        _ => None,
    }
}

impl Reader<'_> {
    /// One parameter.
    pub(super) fn include(&mut self, along: Along, modifier: Option<&str>, value: &str) -> Result<(), Trouble> {
        self.includes += 1;
        if self.includes > SEARCH_INCLUDES_MAX {
            return Err(Trouble::Wrong(format!("stands more than {SEARCH_INCLUDES_MAX} times").into()));
        }
        let iterate = match modifier {
            None => false,
            Some("iterate") => true,
            Some("recurse") => return Err(Trouble::Unserved("supports :iterate; :recurse is of FHIR STU3".into())),
            Some(_) => return Err(Trouble::Unserved("supports only the modifier :iterate".into())),
        };
        let include = self.read_include(along, iterate, value)?;
        let kind = self.query.kind;
        // In a search over several types each takes its own share.
        match along {
            Along::Forward if iterate || include.source.is_none_or(|source| source == kind) => {
                self.query.includes.push(include);
            }
            Along::Backward if iterate || concerns(&include, kind) => self.query.rev_includes.push(include),
            Along::Forward | Along::Backward => {}
        }
        Ok(())
    }

    fn read_include(&self, along: Along, iterate: bool, value: &str) -> Result<Include, Refusal> {
        if value == "*" {
            return Ok(Include { source: None, param: None, target: None, iterate });
        }
        let mut parts = value.split(':');
        let (Some(source), Some(code), target, None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(FORM.into());
        };
        let source = kind_of(source).ok_or(FORM)?;
        let target = target.map(|name| kind_of(name).ok_or(FORM)).transpose()?;
        let include = match code {
            "*" => Include { source: Some(source), param: None, target, iterate },
            code => {
                Include { source: Some(source), param: Some(self.reference_of(source, code, target)?), target, iterate }
            }
        };
        self.reaches(along, &include)?;
        Ok(include)
    }

    fn reference_of(&self, source: Kind, code: &str, target: Option<Kind>) -> Result<u16, Refusal> {
        let name = definitions().name_of(source);
        let shown = super::word(code);
        match planned(source, code).map(|planned| planned.param) {
            None => Err(format!("names {shown}, which is no search parameter of {name}").into()),
            Some(param) if param.kind != ParamKind::Reference => {
                Err(format!("names {shown}, which is no reference of {name}").into())
            }
            Some(param) => match target {
                Some(kind) if !leads_to(param, kind) => {
                    Err(format!("names {shown}, which leads to no {}", definitions().name_of(kind)).into())
                }
                _ => Ok(param.index),
            },
        }
    }

    /// Without `:iterate`, what is named must begin or end at what is searched: otherwise nothing would ever come along.
    fn reaches(&self, along: Along, include: &Include) -> Result<(), Refusal> {
        if include.iterate {
            return Ok(());
        }
        let reached = match along {
            Along::Forward => include.source.is_none_or(|source| self.kinds.contains(&source)),
            Along::Backward => self.kinds.iter().any(|kind| concerns(include, *kind)),
        };
        if reached {
            return Ok(());
        }
        Err(match along {
            Along::Forward => "begins at a type that is not searched; with :iterate it follows what came along".into(),
            Along::Backward => "leads to no type that is searched; with :iterate it follows what came along".into(),
        })
    }
}

/// Whether what refers by this may refer to a type.
fn concerns(include: &Include, kind: Kind) -> bool {
    if include.target.is_some_and(|target| target != kind) {
        return false;
    }
    let Some(source) = include.source else { return true };
    let mut params = definitions().params_of(source).iter();
    params.any(|param| include.param.is_none_or(|index| index == param.index) && leads_to(param, kind))
}
