//! Which vaccines are given at which age, and what was in the refrigerator in which year.

use Route::{Mouth, Muscle, Skin};

use crate::day::years;

/// How a vaccine is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Muscle,
    Skin,
    Mouth,
}

/// A vaccine as it is bought.
#[derive(Debug)]
pub(crate) struct Product {
    /// First year in which it was used.
    pub(crate) from_year: i16,
    /// CVX code and name. They stand here, and not in the table that an installation looks codes up in, because that one can
    /// be replaced: what the demo says must not change with it.
    pub(crate) cvx: (&'static str, &'static str),
    pub(crate) maker: Maker,
    /// Hundredths of a millilitre.
    pub(crate) volume: i64,
    pub(crate) route: Route,
}

const fn product(
    from_year: i16,
    cvx: (&'static str, &'static str),
    maker: Maker,
    volume: i64,
    route: Route,
) -> Product {
    Product { from_year, cvx, maker, volume, route }
}

/// Who makes a vaccine: MVX code and name.
#[derive(Debug)]
pub(crate) struct Maker {
    pub(crate) mvx: &'static str,
    pub(crate) name: &'static str,
}

const SKB: Maker = Maker { mvx: "SKB", name: "GlaxoSmithKline" };
const MSD: Maker = Maker { mvx: "MSD", name: "Merck and Co., Inc." };
const PMC: Maker = Maker { mvx: "PMC", name: "Sanofi Pasteur" };
const PFR: Maker = Maker { mvx: "PFR", name: "Pfizer, Inc" };
const WAL: Maker = Maker { mvx: "WAL", name: "Wyeth" };
const SEQ: Maker = Maker { mvx: "SEQ", name: "Seqirus" };

/// One dose of a series: from and to which age, in days, and how long after the dose before.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) gap: i64,
}

const fn months(from: i64, to_years: i64, gap: i64) -> Step {
    Step { from: from * 1_461 / 48, to: years(to_years), gap }
}

/// Not after the age of eight months.
const fn infant(from: i64, gap: i64) -> Step {
    Step { from: from * 1_461 / 48, to: 243, gap }
}

const fn aged(from_years: i64, to_years: i64, gap: i64) -> Step {
    Step { from: years(from_years), to: years(to_years), gap }
}

/// Doses that belong together.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Step],
    /// By the year from which they were used, oldest first.
    pub(crate) products: &'static [Product],
    /// Of a hundred people, how many accept it at all.
    pub(crate) accepted: u32,
}

/// Everything that is given once in a life, in order of age. What is given every autumn or every ten years is in
/// [`INFLUENZA`], [`COVID`] and [`TETANUS`].
pub(crate) const SERIES: [Series; 16] = [
    Series {
        name: "hepatitis B",
        steps: &[months(0, 18, 0), months(1, 18, 28), months(6, 18, 56)],
        products: &[product(1992, ("08", "Hep B, adolescent or pediatric"), SKB, 50, Muscle)],
        accepted: 96,
    },
    Series {
        name: "rotavirus",
        steps: &[infant(2, 0), infant(4, 28), infant(6, 28)],
        products: &[product(2006, ("116", "rotavirus, pentavalent"), MSD, 200, Mouth)],
        accepted: 90,
    },
    Series {
        name: "DTaP",
        steps: &[months(2, 7, 0), months(4, 7, 28), months(6, 7, 28), months(15, 7, 168), months(48, 7, 168)],
        products: &[product(1992, ("20", "DTaP"), PMC, 50, Muscle)],
        accepted: 97,
    },
    Series {
        name: "Hib",
        steps: &[months(2, 5, 0), months(4, 5, 28), months(6, 5, 28), months(12, 5, 56)],
        products: &[product(1993, ("48", "Hib (PRP-T)"), PMC, 50, Muscle)],
        accepted: 95,
    },
    Series {
        name: "pneumococcus, children",
        steps: &[months(2, 5, 0), months(4, 5, 28), months(6, 5, 28), months(12, 5, 56)],
        products: &[
            product(2000, ("100", "pneumococcal conjugate PCV 7"), WAL, 50, Muscle),
            product(2010, ("133", "Pneumococcal conjugate PCV 13"), PFR, 50, Muscle),
            product(
                2023,
                ("216", "Pneumococcal conjugate PCV20, polysaccharide CRM197 conjugate, adjuvant, PF"),
                PFR,
                50,
                Muscle,
            ),
        ],
        accepted: 95,
    },
    Series {
        name: "polio",
        steps: &[months(2, 18, 0), months(4, 18, 28), months(6, 18, 28), months(48, 18, 168)],
        products: &[product(1997, ("10", "IPV"), PMC, 50, Muscle)],
        accepted: 97,
    },
    Series {
        name: "MMR",
        steps: &[months(12, 30, 0), months(48, 30, 28)],
        products: &[product(1985, ("03", "MMR"), MSD, 50, Skin)],
        accepted: 95,
    },
    Series {
        name: "varicella",
        steps: &[months(12, 30, 0), months(48, 30, 84)],
        products: &[product(1996, ("21", "varicella"), MSD, 50, Skin)],
        accepted: 93,
    },
    Series {
        name: "hepatitis A",
        steps: &[months(12, 18, 0), months(18, 18, 168)],
        products: &[product(2006, ("83", "Hep A, ped/adol, 2 dose"), SKB, 50, Muscle)],
        accepted: 90,
    },
    Series {
        name: "Tdap of adolescents",
        steps: &[aged(11, 18, 0)],
        products: &[product(2006, ("115", "Tdap"), SKB, 50, Muscle)],
        accepted: 93,
    },
    Series {
        name: "HPV",
        steps: &[aged(11, 26, 0), Step { from: years(11) + 160, to: years(26), gap: 150 }],
        products: &[
            product(2007, ("62", "HPV, quadrivalent"), MSD, 50, Muscle),
            product(2015, ("165", "HPV9"), MSD, 50, Muscle),
        ],
        accepted: 74,
    },
    Series {
        name: "meningococcus ACWY",
        steps: &[aged(11, 21, 0), aged(16, 21, 56)],
        products: &[
            product(2006, ("114", "meningococcal MCV4P"), PMC, 50, Muscle),
            product(2021, ("203", "meningococcal conjugate quadrivalent, MenACWY-TT (MCV4)"), PMC, 50, Muscle),
        ],
        accepted: 88,
    },
    Series {
        name: "hepatitis B of adults",
        steps: &[aged(32, 59, 0), aged(32, 60, 28), aged(32, 60, 56)],
        products: &[product(2022, ("43", "Hep B, adult"), SKB, 100, Muscle)],
        accepted: 38,
    },
    Series {
        name: "zoster",
        steps: &[aged(50, 100, 0), aged(50, 100, 60)],
        products: &[product(2018, ("187", "zoster recombinant"), SKB, 50, Muscle)],
        accepted: 62,
    },
    Series {
        name: "pneumococcus of the old",
        steps: &[aged(65, 110, 0)],
        products: &[
            product(2015, ("33", "pneumococcal polysaccharide PPV23"), MSD, 50, Muscle),
            product(
                2022,
                ("216", "Pneumococcal conjugate PCV20, polysaccharide CRM197 conjugate, adjuvant, PF"),
                PFR,
                50,
                Muscle,
            ),
        ],
        accepted: 80,
    },
    Series {
        name: "RSV of the old",
        steps: &[aged(75, 110, 0)],
        products: &[product(
            2023,
            ("303", "RSV, recombinant, protein subunit RSVpreF, adjuvant reconstituted, 0.5 mL, PF"),
            SKB,
            50,
            Muscle,
        )],
        accepted: 55,
    },
];

/// Influenza by the year in which the season begins.
pub(crate) const INFLUENZA: [Product; 3] = [
    product(2000, ("140", "Influenza, split virus, trivalent, PF"), SEQ, 50, Muscle),
    product(2013, ("150", "Influenza, split virus, quadrivalent, PF"), PMC, 50, Muscle),
    product(2024, ("140", "Influenza, split virus, trivalent, PF"), SEQ, 50, Muscle),
];
/// COVID-19 of everybody from twelve years, by the year in which the season begins.
pub(crate) const COVID: [Product; 3] = [
    product(2021, ("208", "COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose"), PFR, 30, Muscle),
    product(2022, ("300", "COVID-19, mRNA, LNP-S, bivalent, PF, 30 mcg/0.3 mL dose"), PFR, 30, Muscle),
    product(2023, ("309", "COVID-19, mRNA, LNP-S, PF, tris-sucrose, 30 mcg/0.3 mL"), PFR, 30, Muscle),
];
/// Tetanus of adults.
pub(crate) const TETANUS: [Product; 2] = [
    product(2006, ("115", "Tdap"), SKB, 50, Muscle),
    product(1990, ("113", "Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed"), PMC, 50, Muscle),
];

/// The product of a year; none before there was one.
pub(crate) fn product_of(products: &'static [Product], year: i16) -> Option<&'static Product> {
    products.iter().rev().find(|product| product.from_year <= year)
}

#[cfg(test)]
mod tests {
    use iris_immunization::Vaccines;

    use super::*;

    #[test]
    fn every_product_is_in_the_tables_of_codes() {
        let all = SERIES.iter().flat_map(|series| series.products).chain(&INFLUENZA).chain(&COVID).chain(&TETANUS);
        let table = Vaccines::shipped().unwrap();
        for Product { cvx: (code, name), maker, .. } in all {
            assert_eq!(table.vaccine(code).unwrap().name, *name);
            assert_eq!(table.maker(maker.mvx).unwrap().name, maker.name);
        }
    }

    #[test]
    fn steps_follow_each_other() {
        for series in &SERIES {
            assert!(
                series.steps.windows(2).all(|pair| pair[0].from <= pair[1].from && pair[1].gap > 0),
                "{}",
                series.name
            );
            assert!(series.products.windows(2).all(|pair| pair[0].from_year < pair[1].from_year), "{}", series.name);
        }
    }
}
