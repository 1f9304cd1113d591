use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn unit(code: &str) -> Unit {
    Unit::parse(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

fn converted(value: &str, from: &str, to: &str) -> Option<String> {
    unit(from).convert(decimal(value), &unit(to)).map(|value| value.normalized().to_string())
}

#[test]
fn the_table_is_read_whole() {
    let atoms = table::load().unwrap();
    assert_eq!(atoms.len(), 311);
    for (code, atom) in &atoms {
        assert!(!atom.unit.over.is_zero() && !atom.unit.under.is_zero(), "{code}");
        assert!(Unit::parse(code).is_ok(), "{code}");
    }
}

#[test]
fn codes_of_daily_use() {
    for code in [
        "mg/dL",
        "mmol/L",
        "10*3/uL",
        "10*9/L",
        "mm[Hg]",
        "kg/m2",
        "{score}",
        "%",
        "/min",
        "mL/min/{1.73_m2}",
        "[in_i]",
        "[lb_av]",
        "ug/L",
        "[iU]/L",
        "m[IU]/L",
        "meq/L",
        "umol/(24.h)",
        "g/(8.h){shift}",
        "Cel",
        "[degF]",
        "cm[H2O]",
        "pg",
        "fL",
        "a",
        "mo",
        "wk",
        "d",
        "h",
        "min",
        "s",
        "ms",
        "{beats}/min",
        "mosm/kg",
        "L/min",
        "kat/kg",
        "dB",
        "[pH]",
        "1",
        "10^",
        "m-2",
    ] {
        if code == "m[IU]/L" {
            assert!(Unit::parse(code).is_ok(), "{code}");
            continue;
        }
        unit(code);
    }
    for code in
        ["", "foo", "mg/", "mg..dL", "(mg", "mg)", "[in_i", "{open", "m3000", "Cel.m", "mCel2", "0", "mg dL", "µg"]
    {
        assert!(Unit::parse(code).is_err(), "{code:?}");
    }
}

#[test]
fn values_convert_exactly() {
    for (value, from, to, expected) in [
        ("1", "[lb_av]", "g", "453.59237"),
        ("4.0", "g", "mg", "4000"),
        ("1", "[in_i]", "cm", "2.54"),
        ("72", "/min", "/s", "1.2"),
        ("37", "Cel", "K", "310.15"),
        ("98.6", "[degF]", "Cel", "37"),
        ("37", "Cel", "[degF]", "98.6"),
        ("1", "wk", "d", "7"),
        ("1", "a", "d", "365.25"),
        ("5.5", "mmol/L", "mol/m3", "5.5"),
        ("1", "mg/dL", "g/L", "0.01"),
        ("1", "10*3/uL", "10*9/L", "1"),
        ("1", "k[iU]/mL", "[iU]/L", "1000000"),
        ("3", "[ft_i]", "[yd_i]", "1"),
        ("50", "%", "1", "0.5"),
    ] {
        assert_eq!(converted(value, from, to).as_deref(), Some(expected), "{value} {from} in {to}");
    }
    assert_eq!(converted("1", "g", "m"), None);
    assert_eq!(converted("1", "[iU]", "1"), None);
    assert_eq!(converted("1", "[iU]", "[arb'U]"), None);
}

#[test]
fn constants_are_as_large_as_they_are() {
    for (code, expected) in [
        ("[mu_0]", 0.001_256_637_061_435_917_2),
        ("Oe", 79.577_471_545_947_67),
        ("[S]", 1e-13),
        ("mol", 6.022_136_7e23),
        ("[h]", 6.626_075_5e-31),
        ("U", 10_036_894_500_000_000.0),
        ("deg", 0.017_453_292_519_943_295),
        ("[Ch]", 0.000_333_333_333_333_333_3),
    ] {
        let value = unit(code).to_base(Decimal::ONE).unwrap().to_f64();
        assert!((value / expected - 1.0).abs() < 1e-12, "{code}: {value}");
    }
}

#[test]
fn comparing_needs_no_rounding() {
    let compared = |a: &str, ua: &str, b: &str, ub: &str| compare(decimal(a), &unit(ua), decimal(b), &unit(ub));
    assert_eq!(compared("1", "/h", "1", "/min"), Some(Ordering::Less));
    assert_eq!(compared("60", "/h", "1", "/min"), Some(Ordering::Equal));
    assert_eq!(compared("185", "[lb_av]", "185", "kg"), Some(Ordering::Less));
    assert_eq!(compared("98.6", "[degF]", "37", "Cel"), Some(Ordering::Equal));
    assert_eq!(compared("1", "g", "1", "m"), None);
}

#[test]
fn one_code_for_all_units_of_a_dimension() {
    assert_eq!(unit("mm[Hg]").dimension().code(), "m-1.s-2.g");
    assert_eq!(unit("kPa").dimension().code(), "m-1.s-2.g");
    assert_eq!(unit("%").dimension().code(), "1");
    assert_eq!(unit("[iU]/mL").dimension().code(), "m-3.[iU]");
}

#[test]
fn decimals_keep_their_spelling() {
    for text in ["0", "1.50", "-0.010", "12345678901234567890.123456789", "100"] {
        assert_eq!(decimal(text).to_string(), text);
    }
    assert_eq!(decimal("1.5e3").to_string(), "1500");
    assert_eq!(decimal("1e-3").to_string(), "0.001");
    for text in ["", ".", "1.", ".5", "1e", "e5", "--1", "1e9999", "+", "0x1", "1 "] {
        assert!(Decimal::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(Decimal::parse(&"9".repeat(39)), Err(DecimalError::TooLong));
    assert!(Decimal::parse(&"9".repeat(38)).is_ok());
}

#[test]
fn rounding_and_dividing() {
    assert_eq!(decimal("2.5").round(0, Rounding::HalfUp).unwrap().to_string(), "3");
    assert_eq!(decimal("-2.5").round(0, Rounding::HalfUp).unwrap().to_string(), "-3");
    assert_eq!(decimal("-2.1").round(0, Rounding::Floor).unwrap().to_string(), "-3");
    assert_eq!(decimal("2.1").round(0, Rounding::Ceiling).unwrap().to_string(), "3");
    assert_eq!(decimal("1").over(decimal("3")).unwrap().to_string(), format!("0.{}", "3".repeat(28)));
    assert_eq!(decimal("1.0").over(decimal("2")).unwrap().to_string(), "0.5");
    assert_eq!(decimal("400").over(decimal("2")).unwrap().to_string(), "200");
    assert_eq!(decimal("1").over(Decimal::ZERO), None);
    assert_eq!(decimal("2.2").rest_over(decimal("1.8")).unwrap().to_string(), "0.4");
}

#[test]
fn the_limits_hold() {
    assert_eq!(Unit::parse(&"m".repeat(CODE_BYTES_MAX + 1)).unwrap_err(), UnitError::TooLarge);
    let nested = |depth: usize| format!("{}m{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Unit::parse(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(Unit::parse(&nested(DEPTH_MAX + 1)).unwrap_err(), UnitError::TooLarge);
}

proptest! {
    #[test]
    fn no_text_makes_the_parsers_panic(text in r"\PC{0,24}", code in r"[a-zA-Z0-9\[\]{}()./*^'%+-]{0,16}") {
        let _ = Unit::parse(&text);
        let _ = Decimal::parse(&text);
        if let Ok(unit) = Unit::parse(&code) {
            let _ = unit.to_base(decimal("1.5"));
            let _ = unit.convert(decimal("99999999999999999999"), &unit);
        }
    }

    #[test]
    fn addition_and_order_agree(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000, s in 0..9, t in 0..9) {
        let (left, right) = (Decimal::new(a.into(), s).unwrap(), Decimal::new(b.into(), t).unwrap());
        prop_assert_eq!(left.plus(right).unwrap(), right.plus(left).unwrap());
        prop_assert_eq!(left.cmp(&right), left.minus(right).unwrap().cmp(&Decimal::ZERO));
        prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
        prop_assert_eq!(left.times(right).unwrap(), right.times(left).unwrap());
        if !right.is_zero() {
            let whole = left.whole_over(right).unwrap();
            prop_assert_eq!(whole.times(right).unwrap().plus(left.rest_over(right).unwrap()).unwrap(), left);
        }
    }

    #[test]
    fn the_nearest_binary_number_is_that_of_the_spelling(coefficient in -(1_i64 << 54)..1 << 54, scale in -30..30) {
        let number = Decimal::new(i128::from(coefficient), scale).unwrap();
        let spelt: f64 = format!("{coefficient}e{}", -scale).parse().unwrap();
        prop_assert_eq!(number.to_f64().to_bits(), spelt.to_bits());
    }

    #[test]
    fn no_zero_stays_at_the_end(coefficient in any::<i64>(), zeros in 0..19_u32, scale in -399..400) {
        let number = Decimal::new(i128::from(coefficient) * 10_i128.pow(zeros), scale).unwrap();
        let plain = number.normalized();
        prop_assert_eq!(plain, number);
        let shorter = plain.round(plain.scale() - 1, Rounding::Down);
        prop_assert!(plain.is_zero() || plain.scale() == -400 || shorter != Some(plain));
    }

    #[test]
    fn dividing_by_a_power_of_ten_moves_the_point(coefficient in any::<i64>(), scale in -40..40, places in -40..40) {
        let (number, power) = (Decimal::new(i128::from(coefficient), scale).unwrap(), Decimal::new(1, places).unwrap());
        prop_assert_eq!(number.over(power), Decimal::new(i128::from(coefficient), scale - places));
    }

    #[test]
    fn a_spelling_comes_back(text in r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?") {
        let number = decimal(&text);
        let same = if number.is_zero() { text.trim_start_matches('-').to_owned() } else { text };
        prop_assert_eq!(number.to_string(), same);
    }
}
