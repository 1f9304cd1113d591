//! What speaks for and against two records being of one person, and how much: the table of weights.
//!
//! After Fellegi and Sunter (1969): each agreement or disagreement has a weight, about the binary logarithm of how much more
//! often it occurs between two records of one person than between records of two; the weights are added. Ours are estimates for
//! a clinic of some 100,000 patients, set by hand, rounded, and held by the made-up pairs of the tests; whoever has pairs that
//! people have decided on should measure them.

/// Something that two records have or do not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Born on the same day.
    SameBirthDate,
    /// The days of birth differ as if day and month had been exchanged.
    BirthDateSwapped,
    /// The days of birth differ in one digit, or in two neighbouring digits exchanged.
    BirthDateTypo,
    /// One record knows only the year or month of birth, and it agrees.
    SameBirthYear,
    /// Born on different days.
    OtherBirthDate,
    /// Born so many years apart that one may be the other's parent.
    OtherGeneration,
    /// First and last name are the same.
    SameName,
    /// First and last name are nearly the same, or sound alike, or one is a short form or a part of the other.
    SimilarName,
    /// The first name of one is the last name of the other, both ways.
    NamesSwapped,
    /// The last name is the same or nearly the same; nothing is known of the first names.
    SameLastName,
    /// The first name is the same or nearly the same; nothing is known of the last names.
    SameFirstName,
    /// The first names are different; the last name is the same or nearly the same.
    OtherFirstName,
    /// The last names are different; the first name is the same or nearly the same.
    OtherLastName,
    /// Both names are different.
    OtherName,
    /// The same social security number.
    SameSsn,
    /// Social security numbers that differ in one digit, or in two neighbouring digits exchanged.
    SsnTypo,
    /// Different social security numbers.
    OtherSsn,
    /// The same record number of this house.
    SameMrn,
    /// The same other identifier of one system.
    SameIdentifier,
    /// A telephone number in common.
    SamePhone,
    /// An e-mail address in common.
    SameEmail,
    /// A street in one town in common.
    SameAddress,
    /// Different recorded genders.
    OtherGender,
}

/// One row of the table: the word in the answer, and the weight.
type Row = (Evidence, &'static str, i32);

/// The weights.
const WEIGHTS: [Row; 23] = [
    // 1 in 25,000 by chance; less, because twins share it and unknown days are often recorded as 1 January.
    (Evidence::SameBirthDate, "same_birth_date", 9),
    // About 1 in 700 pairs of days look so by chance.
    (Evidence::BirthDateSwapped, "birth_date_swapped", 4),
    // Some 40 days are one digit away.
    (Evidence::BirthDateTypo, "birth_date_typo", 3),
    (Evidence::SameBirthYear, "same_birth_year", 3),
    // Birth dates are the best kept field: a difference that is no slip is rare for one person.
    (Evidence::OtherBirthDate, "other_birth_date", -8),
    // A son named after his father shares his name, home and telephone, and is told from him by this alone.
    (Evidence::OtherGeneration, "other_generation", -13),
    // Full names vary from 1 in 100 (Maria Garcia) to unique. Weighed for a common one.
    (Evidence::SameName, "same_name", 10),
    (Evidence::SimilarName, "similar_name", 8),
    // Happens with forms that put the family name first; hardly ever by chance.
    (Evidence::NamesSwapped, "names_swapped", 9),
    (Evidence::SameLastName, "same_last_name", 4),
    (Evidence::SameFirstName, "same_first_name", 4),
    // Brothers, sisters, twins: the last name tells little, the first name a lot.
    (Evidence::OtherFirstName, "other_first_name", -1),
    // Marriage and divorce change it.
    (Evidence::OtherLastName, "other_last_name", 2),
    (Evidence::OtherName, "other_name", -9),
    // As good as unique, but people give the number of a parent or spouse.
    (Evidence::SameSsn, "same_ssn", 12),
    (Evidence::SsnTypo, "ssn_typo", 6),
    (Evidence::OtherSsn, "other_ssn", -6),
    (Evidence::SameMrn, "same_medical_record_number", 12),
    (Evidence::SameIdentifier, "same_identifier", 12),
    // Households share these three.
    (Evidence::SamePhone, "same_phone", 4),
    (Evidence::SameEmail, "same_email", 5),
    (Evidence::SameAddress, "same_address", 3),
    // Mistyped more often than changed.
    (Evidence::OtherGender, "other_gender", -2),
];

impl Evidence {
    fn row(self) -> Option<&'static Row> {
        WEIGHTS.iter().find(|(evidence, ..)| *evidence == self)
    }

    /// Its weight in bits: positive speaks for one person.
    #[must_use]
    pub fn weight(self) -> i32 {
        self.row().map_or(0, |(_, _, weight)| *weight)
    }

    /// The word for it in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().map_or("", |(_, word, _)| word)
    }

    /// Whether it is told as something that speaks against one person, whatever it weighs together with what it comes with.
    #[must_use]
    pub const fn is_against(self) -> bool {
        matches!(
            self,
            Self::OtherBirthDate
                | Self::OtherGeneration
                | Self::OtherFirstName
                | Self::OtherLastName
                | Self::OtherName
                | Self::OtherSsn
                | Self::OtherGender
        )
    }

    /// Every word of an answer: those for, or those against.
    pub fn words(against: bool) -> impl Iterator<Item = &'static str> {
        WEIGHTS.iter().filter(move |(evidence, ..)| evidence.is_against() == against).map(|(_, word, _)| *word)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_evidence_has_one_row_and_one_word() {
        let evidences: BTreeSet<_> = WEIGHTS.iter().map(|(evidence, ..)| *evidence).collect();
        let words: BTreeSet<_> = WEIGHTS.iter().map(|(_, word, _)| *word).collect();
        assert_eq!((evidences.len(), words.len()), (WEIGHTS.len(), WEIGHTS.len()));
        // The variants are numbered in order, and the last one is this.
        assert_eq!(Evidence::OtherGender as usize + 1, WEIGHTS.len());
        assert!(
            WEIGHTS.iter().all(|(evidence, word, weight)| evidence.word() == *word && evidence.weight() == *weight)
        );
    }
}
