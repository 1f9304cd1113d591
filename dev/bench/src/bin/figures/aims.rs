//! What is aimed at (architecture §10): with the whole base validation on, the column "FHIR" where it says something.

/// The aims over one database. A figure that has none is empty.
pub(crate) struct Aims {
    pub(crate) idle: &'static str,
    pub(crate) serial: &'static str,
    pub(crate) read: &'static str,
    pub(crate) observations: &'static str,
    pub(crate) create: &'static str,
    pub(crate) transactions: &'static str,
    pub(crate) beside: &'static str,
    pub(crate) users: &'static str,
    pub(crate) loaded: &'static str,
    pub(crate) grown: &'static str,
    pub(crate) many: &'static str,
    pub(crate) import: &'static str,
    pub(crate) disk: &'static str,
    pub(crate) listening: &'static str,
}

/// Over SQLite in the data folder.
pub(crate) const SQLITE: Aims = Aims {
    idle: "0.5 s, 100 MB",
    serial: "3,000 resources/s",
    read: "20,000/s, p99 4 ms, 0.05",
    observations: "5,000/s, p99 10 ms",
    create: "2,500/s, p99 30 ms",
    transactions: "5,000 resources/s",
    beside: "8,000 + 1,000/s, read p99 12 ms",
    users: "0 errors, p99 ≤ 50 ms",
    loaded: "300 MB",
    grown: "≥ 90 %",
    many: "12,000/s, p99 4 ms",
    import: "6,000/s",
    disk: "1.2 KB",
    listening: "0.5 s",
};

/// Over PostgreSQL on the same machine.
pub(crate) const POSTGRES: Aims = Aims {
    idle: "120 MB",
    serial: "1,200 resources/s",
    read: "6,000/s, p99 8 ms",
    observations: "3,000/s, p99 15 ms",
    create: "1,500/s, p99 30 ms",
    transactions: "2,500 resources/s",
    beside: "4,000 + 500/s, read p99 20 ms",
    users: "0 errors, p99 ≤ 100 ms",
    loaded: "400 MB",
    grown: "≥ 80 %",
    many: "6,000/s, p99 8 ms",
    import: "4,000/s",
    disk: "2.5 KB",
    listening: "",
};
