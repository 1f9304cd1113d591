//! What one tenant has decided about access.

use serde::{Deserialize, Serialize};

/// What holds for a patient of whom no consent says anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentPolicy {
    /// Access goes by roles alone.
    #[default]
    OptOut,
    /// Nobody but the patient has access.
    OptIn,
}

/// Whether who treats a patient is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CareTeamPolicy {
    /// It is not.
    #[default]
    Open,
    /// Who reads clinical data by their role reads those of patients in whose care team they or their department are.
    Required,
}

/// How long the glass stays broken where nobody says otherwise, and at most, in minutes.
pub const BREAK_GLASS_MINUTES_DEFAULT: u32 = 60;
/// The range of that setting, in minutes.
pub const BREAK_GLASS_MINUTES: std::ops::RangeInclusive<u32> = 5..=480;

/// What one tenant has decided about access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantPolicy {
    /// What holds without a consent.
    pub consent: ConsentPolicy,
    /// Whether who treats a patient is asked for.
    pub care_team: CareTeamPolicy,
    /// How long the glass may stay broken, in minutes; in [`BREAK_GLASS_MINUTES`].
    pub break_glass_minutes: u32,
    /// Words of the roles whose holders need a second factor; built-in and custom ones.
    pub mfa_roles: Vec<String>,
    /// Whether people may make accounts by themselves; such an account has the role user.
    pub self_registration: bool,
}

impl Default for TenantPolicy {
    fn default() -> Self {
        Self {
            consent: ConsentPolicy::default(),
            care_team: CareTeamPolicy::default(),
            break_glass_minutes: BREAK_GLASS_MINUTES_DEFAULT,
            mfa_roles: Vec::new(),
            self_registration: false,
        }
    }
}

impl ConsentPolicy {
    /// The words of the API, in the order of the variants.
    pub const WORDS: &[&str] = &["opt_out", "opt_in"];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::OptIn => "opt_in",
        }
    }

    /// The policy with this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::OptOut, Self::OptIn].into_iter().find(|policy| policy.name() == word)
    }
}

impl CareTeamPolicy {
    /// The words of the API, in the order of the variants.
    pub const WORDS: &[&str] = &["open", "required"];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Required => "required",
        }
    }

    /// The policy with this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Open, Self::Required].into_iter().find(|policy| policy.name() == word)
    }
}

impl TenantPolicy {
    /// What changed from `before`, in words for the log.
    #[must_use]
    pub fn changes(&self, before: &Self) -> String {
        let mut changes = Vec::new();
        let mut change = |name: &str, was: &str, is: &str| {
            if was != is {
                changes.push(format!("{name} from {was} to {is}"));
            }
        };
        change("consent", before.consent.name(), self.consent.name());
        change("care_team", before.care_team.name(), self.care_team.name());
        let minutes = [before, self].map(|policy| policy.break_glass_minutes.to_string());
        change("break_glass_minutes", &minutes[0], &minutes[1]);
        let roles = [before, self].map(|policy| format!("[{}]", policy.mfa_roles.join(" ")));
        change("mfa_roles", &roles[0], &roles[1]);
        let open = [before, self].map(|policy| policy.self_registration.to_string());
        change("self_registration", &open[0], &open[1]);
        changes.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_from_before_a_setting_existed_has_its_default() {
        let policy: TenantPolicy = serde_json::from_str(r#"{"consent":"opt_in"}"#).unwrap();
        assert_eq!(policy, TenantPolicy { consent: ConsentPolicy::OptIn, ..TenantPolicy::default() });
        for (at, word) in ConsentPolicy::WORDS.iter().enumerate() {
            assert_eq!(serde_json::to_value(ConsentPolicy::of(word).unwrap()).unwrap(), ConsentPolicy::WORDS[at]);
        }
        for (at, word) in CareTeamPolicy::WORDS.iter().enumerate() {
            assert_eq!(serde_json::to_value(CareTeamPolicy::of(word).unwrap()).unwrap(), CareTeamPolicy::WORDS[at]);
        }
    }

    #[test]
    fn the_log_says_what_changed_and_nothing_else() {
        let after = TenantPolicy { mfa_roles: vec!["admin".into()], ..TenantPolicy::default() };
        assert_eq!(after.changes(&TenantPolicy::default()), "mfa_roles from [] to [admin]");
        assert_eq!(after.changes(&after), "");
    }
}
