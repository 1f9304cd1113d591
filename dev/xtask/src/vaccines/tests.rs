use std::collections::BTreeSet;
use std::path::Path;

use iris_immunization::{Status, Vaccines};

use super::source::Source;
use super::{TARGET, made_from, table};

fn pairs(tag: &str, cells: &[(&str, &str)]) -> String {
    let cells: String =
        cells.iter().map(|(name, value)| format!("<Name>{name}</Name><Value>{value}</Value>")).collect();
    format!("<{tag}>{cells}</{tag}>")
}

fn cvx(code: &str, name: &str, status: &str) -> String {
    format!(
        "<CVXInfo><ShortDescription>{name}</ShortDescription><FullVaccinename>{name},\n  in full</FullVaccinename>\
         <CVXCode>{code}       </CVXCode><Status>{status}</Status><LastUpdated>9/30/2025</LastUpdated></CVXInfo>"
    )
}

fn maker(code: &str) -> String {
    pairs(
        "MVXInfo",
        &[("MVX_CODE", code), ("Manufacturer Name", "M"), ("Status", "Active"), ("Last Updated", "1/2/2020")],
    )
}

fn product(name: &str, cvx: &str, mvx: &str, status: &str) -> String {
    let cells = [("CDC Product Name", name), ("CVXCode", cvx), ("MVX Code", mvx), ("Product name Status", status)];
    pairs("prodInfo", &[&cells[..], &[("Last Updated", "11/3/2025")]].concat())
}

fn made(cvx: &str, products: &str, sale: &str) -> Result<String, String> {
    let wrapped = |rows: &str| format!("<t>{rows}</t>");
    let group = pairs("CVXVGInfo", &[("CVXCode", "08"), ("Vaccine Group Name", "HepB")]);
    Source::of(&wrapped(cvx), &wrapped(&maker("SKB")), &wrapped(products), &wrapped(&group), sale, "HepB|hepatitis")
        .and_then(|s| table::written(&s))
}

#[test]
fn facts_are_kept_sorted_by_number_and_counted() {
    let vaccines = cvx("115", "Tdap", "Active") + &cvx("08", "Hep B", "Inactive");
    let products = product("BOOSTRIX", "115", "SKB", "Inactive") + &product("BOOSTRIX", "115", "SKB", "Active");
    let sold = "1|2|3|4|B|b|M|20200101||P|R|d|115 |n|x|y\r\n1|2|3|4|B|b|M|20200101|20210101|P|R|d|115 |n|x|y\n";
    let made = made(&vaccines, &products, sold).unwrap();
    let rows: Vec<&str> = made.lines().skip(4).collect();
    assert_eq!(rows[0], "edition|2025-11-03");
    assert_eq!(rows[3], "08|inactive|0|HepB|Hep B|Hep B, in full");
    assert_eq!(rows[4], "115|active|1||Tdap|Tdap, in full");
    assert_eq!(rows[6], "SKB|active|M");
    assert_eq!(rows[8], "115|BOOSTRIX|SKB|active");
    assert_eq!(rows[10..], ["HepB|hepatitis"]);
    assert!(Vaccines::parse(&made).is_ok(), "{made}");
}

#[test]
fn what_does_not_fit_is_an_error() {
    let good = cvx("08", "Hep B", "Active");
    assert!(made(&good, "", "").is_ok());
    assert!(made(&cvx("08", "Hep B", "Odd"), "", "").is_err(), "a status nobody knows");
    assert!(made(&(good.clone() + &good), "", "").is_err(), "a code twice");
    assert!(made(&cvx("08", "Hep|B", "Active"), "", "").is_err(), "a separator in a name");
    assert!(made(&cvx("09", "Td", "Active"), "", "").is_err(), "a group of a vaccine that is not there");
    assert!(made(&good, &product("X", "09", "SKB", "Active"), "").is_err(), "a product of no vaccine");
    assert!(made(&good, &product("X", "08", "NO", "Active"), "").is_err(), "a product of no manufacturer");
    assert!(made(&good, "", "1|2").is_err(), "a line of other columns");
}

/// The committed table is what CDC's tables give, and nothing of them is lost on the way.
#[test]
fn the_committed_table_is_what_the_source_gives() {
    let Some(folder) = iris_testkit::archive("vaccine-codes") else { return };
    let made = made_from(folder.path()).unwrap();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(TARGET);
    let committed = std::fs::read_to_string(committed).unwrap();
    assert!(made == committed, "run `cargo xtask vaccines ../shared/data/vaccine-codes.tar.xz`");
    assert!(committed.len() < 200_000, "{} bytes", committed.len());

    let cdc = folder.path().join("codes/cdc");
    let count = |file: &str, what: &str| std::fs::read_to_string(cdc.join(file)).unwrap().matches(what).count();
    let read = Vaccines::parse(&committed).unwrap();
    assert_eq!(read.vaccines().len(), count("cvx.xml", "<CVXInfo>"));
    let of = |status| read.vaccines().iter().filter(|vaccine| vaccine.status == status).count();
    for (status, word) in [
        (Status::Active, "Active"),
        (Status::Inactive, "Inactive"),
        (Status::NonUs, "Non-US"),
        (Status::Pending, "Pending"),
        (Status::NeverActive, "Never Active"),
    ] {
        assert_eq!(of(status), count("cvx.xml", &format!("<Status>{word}</Status>")), "{word}");
    }
    assert_eq!(read.manufacturers().len(), count("mvx.xml", "<MVXInfo>"));
    let groups: usize = read.vaccines().iter().map(|vaccine| vaccine.groups.len()).sum();
    assert_eq!(groups, count("vac2vg.xml", "<CVXVGInfo>"));
    // One row of the source stands there twice.
    let products: Vec<_> = read.vaccines().iter().flat_map(|vaccine| &vaccine.products).collect();
    assert_eq!(products.len() + 1, count("tradename.xml", "<prodInfo>"));
    let names: BTreeSet<&str> = products.iter().map(|product| product.trade_name.as_str()).collect();
    assert_eq!(names.len(), 188);
}
