//! Where messages go. What is parsed here can stand in a header and in a command of SMTP: no line breaks, no second address.

use std::fmt;
use std::str::FromStr;

use crate::username;

/// Longest e-mail address in bytes (RFC 5321, 4.5.3.1.3).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Fewest and most digits of a telephone number with its country (ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// An e-mail address: a bare one, `somebody@example.org`, without a name, a comment, quotes or an address literal.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// What is no address that mail can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address, such as somebody@example.org")]
pub struct NoEmailAddress;

impl EmailAddress {
    /// The address as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared. Mail servers may tell upper from lower case before the `@`; none does, and two
    /// accounts that differ in nothing else would be one person's trap for another.
    pub(crate) fn folded(&self) -> String {
        username::fold(&self.0)
    }
}

impl FromStr for EmailAddress {
    type Err = NoEmailAddress;

    fn from_str(text: &str) -> Result<Self, NoEmailAddress> {
        let options =
            email_address::Options::default().with_required_tld().without_display_text().without_domain_literal();
        // Quotes and comments are legal, and nobody has such an address; software along the way reads them differently.
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"(),:;<>[]\\".contains(c);
        if text.len() > EMAIL_BYTES_MAX || !text.is_ascii() || !text.chars().all(plain) {
            return Err(NoEmailAddress);
        }
        let parsed = email_address::EmailAddress::parse_with_options(text, options).map_err(|_| NoEmailAddress)?;
        Ok(Self(parsed.as_str().to_owned()))
    }
}

impl fmt::Debug for EmailAddress {
    /// Does not show it: an address is somebody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(***)")
    }
}

/// A telephone number with its country, `+12025550143`.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The number, `+` and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a number as people write it. One without a country is taken for one of North America if it has its ten digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let written = text.trim();
        let plain = written.chars().all(|c| c.is_ascii_digit() || "+ ()-./".contains(c));
        let international = written.starts_with('+') && !written[1..].contains('+');
        match (plain, international, digits.len()) {
            (true, true, count) if PHONE_DIGITS.contains(&count) => Some(Self(format!("+{digits}"))),
            (true, false, 10) if !written.contains('+') => Some(Self(format!("+1{digits}"))),
            (true, false, 11) if digits.starts_with('1') && !written.contains('+') => Some(Self(format!("+{digits}"))),
            _ => None,
        }
    }
}

impl fmt::Debug for PhoneNumber {
    /// Does not show it: a number is somebody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_header_injection_an_address_is_one_bare_address() {
        for good in ["a@b.example", "first.last+tag@mail.example.org", "o'brien@example.com", "x@xn--bcher-kva.example"]
        {
            assert_eq!(good.parse::<EmailAddress>().unwrap().as_str(), good);
        }
        let long = format!("{}@example.org", "x".repeat(65));
        for bad in [
            "",
            "a",
            "a@b",
            "a@b.example\r\nBcc: victim@example.org",
            "a@b.example\nSubject: x",
            "a@b.example\0",
            "a@b.example, c@d.example",
            "a@b.example;c@d.example",
            "<a@b.example>",
            "Name <a@b.example>",
            "\"a b\"@b.example",
            "\"a\r\nBcc: x\"@b.example",
            "a@[127.0.0.1]",
            "a@b.example>\r\nRCPT TO:<c@d.example",
            "a(comment)@b.example",
            "a@@b.example",
            "a b@c.example",
            "ä@b.example",
            "a@b\u{2028}.example",
            long.as_str(),
        ] {
            assert_eq!(bad.parse::<EmailAddress>(), Err(NoEmailAddress), "{bad:?}");
        }
        let address: EmailAddress = "Ann@Example.ORG".parse().unwrap();
        assert_eq!(address.folded(), "ann@example.org");
        assert!(!format!("{address:?}").contains("Ann"));
    }

    #[test]
    fn a_number_is_read_as_people_write_it_and_nothing_else_is() {
        for (text, number) in [
            ("+44 20 7946 0958", "+442079460958"),
            ("(202) 555-0143", "+12025550143"),
            ("1-202-555-0143", "+12025550143"),
            ("+12025550143", "+12025550143"),
        ] {
            assert_eq!(PhoneNumber::read(text).unwrap().as_str(), number);
        }
        for bad in
            ["", "911", "+", "555-0143", "+1202555014312345", "+1 202 555 0143 x12", "++12025550143", "202+5550143"]
        {
            assert_eq!(PhoneNumber::read(bad), None, "{bad:?}");
        }
    }
}
