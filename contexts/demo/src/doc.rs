//! Writing FHIR: the few shapes that every resource is made of.

use iris_fhir::Writer;

/// A coded idea.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) system: &'static str,
    pub(crate) code: &'static str,
    pub(crate) display: &'static str,
}

const fn code(system: &'static str, code: &'static str, display: &'static str) -> Code {
    Code { system, code, display }
}

/// A SNOMED CT concept.
pub(crate) const fn snomed(id: &'static str, display: &'static str) -> Code {
    code("http://snomed.info/sct", id, display)
}

/// An ICD-10-CM code.
pub(crate) const fn icd10(id: &'static str, display: &'static str) -> Code {
    code("http://hl7.org/fhir/sid/icd-10-cm", id, display)
}

/// A LOINC code.
pub(crate) const fn loinc(id: &'static str, display: &'static str) -> Code {
    code("http://loinc.org", id, display)
}

/// An RxNorm concept.
pub(crate) const fn rxnorm(id: &'static str, display: &'static str) -> Code {
    code("http://www.nlm.nih.gov/research/umls/rxnorm", id, display)
}

/// A code of HL7's own code systems, by the last part of the system's name.
macro_rules! hl7 {
    ($system:literal, $code:expr, $display:expr) => {
        $crate::doc::Code {
            system: concat!("http://terminology.hl7.org/CodeSystem/", $system),
            code: $code,
            display: $display,
        }
    };
}
pub(crate) use hl7;

/// A number with its decimals: 7.2 is 72 with one place. Whole numbers everywhere, so that no machine rounds otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) units: i64,
    pub(crate) places: u8,
}

impl Decimal {
    fn text(self) -> String {
        let scale = 10_u64.pow(u32::from(self.places.min(9)));
        let (sign, units) = (if self.units < 0 { "-" } else { "" }, self.units.unsigned_abs());
        match self.places {
            0 => format!("{sign}{units}"),
            places => format!("{sign}{}.{:0width$}", units / scale, units % scale, width = usize::from(places.min(9))),
        }
    }
}

/// A unit as people write it, and in UCUM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) shown: &'static str,
    pub(crate) ucum: &'static str,
}

/// A unit that people write as UCUM does.
pub(crate) const fn unit(ucum: &'static str) -> Unit {
    Unit { shown: ucum, ucum }
}

/// A resource in the making.
pub(crate) struct Doc(Writer);

impl Doc {
    /// Begins a resource.
    pub(crate) fn new(kind: &str, id: &str) -> Self {
        let mut w = Writer::with_capacity(1_024);
        w.object().member("resourceType", kind).member("id", id);
        Self(w)
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.member(name, value);
        self
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.0.key(name).bool(value);
        self
    }

    /// Opens an object member.
    pub(crate) fn object(&mut self, name: &str) -> &mut Self {
        self.0.key(name).object();
        self
    }

    /// Opens a member that is a list.
    pub(crate) fn list(&mut self, name: &str) -> &mut Self {
        self.0.key(name).array();
        self
    }

    /// Opens an object in a list.
    pub(crate) fn item(&mut self) -> &mut Self {
        self.0.object();
        self
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, name: &str, values: &[&str]) -> &mut Self {
        self.list(name);
        for value in values {
            self.0.string(value);
        }
        self.end()
    }

    /// Closes the innermost object or list.
    pub(crate) fn end(&mut self) -> &mut Self {
        self.0.end();
        self
    }

    fn coding(&mut self, code: &Code) -> &mut Self {
        self.item().text("system", code.system).text("code", code.code).text("display", code.display).end()
    }

    fn codings(&mut self, codes: &[&Code]) -> &mut Self {
        self.list("coding");
        for code in codes {
            self.coding(code);
        }
        self.end()
    }

    /// A member that is one coding.
    pub(crate) fn coded(&mut self, name: &str, code: &Code) -> &mut Self {
        self.0.key(name);
        self.coding(code)
    }

    /// A member that is a concept, in one or more code systems.
    pub(crate) fn concept(&mut self, name: &str, codes: &[&Code]) -> &mut Self {
        self.object(name).codings(codes).end()
    }

    /// A member that is a concept with words of its own.
    pub(crate) fn concept_as(&mut self, name: &str, codes: &[&Code], words: &str) -> &mut Self {
        self.object(name).codings(codes).text("text", words).end()
    }

    /// A member that is a list of one concept.
    pub(crate) fn concepts(&mut self, name: &str, codes: &[&Code]) -> &mut Self {
        self.list(name).item().codings(codes).end().end()
    }

    /// A member that refers to a record.
    pub(crate) fn reference(&mut self, name: &str, kind: &str, id: &str) -> &mut Self {
        self.object(name).text("reference", &format!("{kind}/{id}")).end()
    }

    /// A member that refers to a record and says what it is.
    pub(crate) fn reference_to(&mut self, name: &str, kind: &str, id: &str, display: &str) -> &mut Self {
        self.object(name).text("reference", &format!("{kind}/{id}")).text("display", display).end()
    }

    /// A member that is an amount.
    pub(crate) fn quantity(&mut self, name: &str, value: Decimal, unit: Unit) -> &mut Self {
        self.object(name).0.key("value").raw(value.text().as_bytes());
        self.text("unit", unit.shown).text("system", iris_immunization::UCUM).text("code", unit.ucum).end()
    }

    /// The text; closes what is still open.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_places() {
        let text = |units, places| Decimal { units, places }.text();
        assert_eq!([text(72, 1), text(5, 2), text(130, 0), text(-5, 1)], ["7.2", "0.05", "130", "-0.5"]);
    }
}
