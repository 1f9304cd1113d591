//! Fields as data.

/// What may be in a field.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A text of at most so many characters.
    Text(usize),
    /// A date, `YYYY-MM-DD`; `YYYY` and `YYYY-MM` where the day is not known.
    Date,
    /// A moment, RFC 3339; without an offset it is UTC, and a mere date is a whole day.
    Time,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An object of its own.
    Object(&'static [Field]),
    /// A list of objects.
    Objects(&'static [Field]),
    /// A list of texts.
    Texts,
    /// A number of the unit named, a text such as `0.5 mL`, or `{value, unit}`.
    Quantity(&'static str),
    /// A code as text, or `{system, code}`.
    Code,
    /// A number with its exact decimals.
    Decimal,
    /// What an observation came to: a number with its exact decimals, or a text.
    Observed,
    /// An object that has a name of its own.
    Named(&'static str),
    /// A list of objects that have a name of their own.
    ListOf(&'static str),
    /// An object whose members are not listed.
    Open,
}

/// Whether a field is in every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It may be absent.
    Sometimes,
    /// It may be absent, and may be `null`.
    SometimesOrNull,
    /// It is always there.
    Always,
    /// It is always there; `null` where there is nothing to tell.
    OrNull,
}

/// Which way a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Taken and returned; needed to make a record.
    Needed,
    /// Taken and returned.
    Both,
    /// Returned only; on an update it may come back unchanged.
    Returned,
    /// Taken only.
    Taken,
}

/// One field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The canonical name, the only one that is ever returned.
    pub name: &'static str,
    /// Other names under which it is taken.
    pub aliases: &'static [&'static str],
    /// What may be in it.
    pub form: Form,
    /// Which way it goes.
    pub flow: Flow,
    /// Whether it is in every answer.
    pub presence: Presence,
    /// What it means, in a sentence.
    pub what: &'static str,
}

impl Field {
    /// A field that is taken and returned.
    #[must_use]
    pub const fn both(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { name, aliases: &[], form, flow: Flow::Both, presence: Presence::Sometimes, what }
    }

    /// A field without which no record is made.
    #[must_use]
    pub const fn needed(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { flow: Flow::Needed, ..Self::both(name, form, what) }
    }

    /// A field that only the server sets.
    #[must_use]
    pub const fn returned(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { flow: Flow::Returned, ..Self::both(name, form, what) }
    }

    /// A field that is never returned.
    #[must_use]
    pub const fn taken(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { flow: Flow::Taken, ..Self::both(name, form, what) }
    }

    /// A field of an answer that is always there.
    #[must_use]
    pub const fn always(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { presence: Presence::Always, ..Self::returned(name, form, what) }
    }

    /// A field of an answer that is always there, `null` where there is nothing to tell.
    #[must_use]
    pub const fn or_null(name: &'static str, form: Form, what: &'static str) -> Self {
        Self { presence: Presence::OrNull, ..Self::returned(name, form, what) }
    }

    /// With other names under which it is taken.
    #[must_use]
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}
