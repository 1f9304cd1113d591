//! What the machine and the data folder say.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{StatVfs, statfs, statvfs};
use rustix::process::{Resource, getrlimit, getuid};

use super::Finding;
use crate::config::Config;

/// Least free room of the disk that holds the data, in bytes.
const FREE_BYTES_MIN: u64 = 2 << 30;
/// Free share of it, in hundredths, below which somebody should know.
const FREE_PERCENT_MIN: u64 = 10;
/// Mode bits that let others than the owner in.
const OTHERS: u32 = 0o077;
/// What Linux calls a disk in memory (`TMPFS_MAGIC`).
const TMPFS: i128 = 0x0102_1994;
/// The folder's files that nobody else may read.
const PRIVATE: [&str; 4] = ["root.key", "iris.db", "iris.db-wal", "admin.sock"];

/// What is asked of the machine, so that tests can answer in its place.
pub(super) trait Host {
    /// The text of a file of the system.
    fn read(&self, path: &str) -> io::Result<String>;
    /// Whether something is at this path.
    fn exists(&self, path: &str) -> bool;
    /// Whether the process may do everything.
    fn root(&self) -> bool;
    /// Most files that the process may have open; `None` for no limit.
    fn files_max(&self) -> Option<u64>;
    /// Whether the process leaves a core file when it dies.
    fn leaves_cores(&self) -> bool;
}

/// The machine that this runs on.
pub(super) struct Linux;

impl Host for Linux {
    fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(path)
    }
    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }
    fn root(&self) -> bool {
        getuid().is_root()
    }
    fn files_max(&self) -> Option<u64> {
        getrlimit(Resource::Nofile).current
    }
    fn leaves_cores(&self) -> bool {
        getrlimit(Resource::Core).current != Some(0)
    }
}

pub(super) fn examine(config: &Config, host: &dyn Host) -> Vec<Finding> {
    let folder = config.data_dir.as_path();
    let mut findings = vec![user(host), cores(host), swap(host), clock(host), files(host)];
    if folder.is_dir() {
        findings.push(modes(folder));
        findings.push(room(folder, statvfs(folder)));
        findings.push(memory_disk(folder));
    }
    findings
}

fn user(host: &dyn Host) -> Finding {
    if host.root() {
        return Finding::missing(
            "machine.user",
            "the server runs as root",
            "a user of its own that owns the data folder",
        );
    }
    Finding::good("machine.user", "the server runs as a user without privileges")
}

/// A core dump holds keys and records in clear. The process forbids itself core files, but a pipe to a collector ignores that.
fn cores(host: &dyn Host) -> Finding {
    let piped = host.read("/proc/sys/kernel/core_pattern").is_ok_and(|pattern| pattern.trim_start().starts_with('|'));
    if host.leaves_cores() {
        let fix = "LimitCORE=0 in the unit of the service";
        return Finding::missing("machine.core_dumps", "a crash would write memory with keys to a file", fix);
    }
    if piped {
        let fix = "sysctl kernel.core_pattern=core, or Storage=none in coredump.conf";
        return Finding::missing("machine.core_dumps", "a crash hands memory with keys to a collector", fix);
    }
    Finding::good("machine.core_dumps", "a crash leaves no memory behind")
}

fn swap(host: &dyn Host) -> Finding {
    let used =
        host.read("/proc/swaps").is_ok_and(|table| table.lines().skip(1).any(|line| !line.starts_with("/dev/zram")));
    if used {
        let fix = "encrypt the swap, or swapoff -a";
        return Finding::advice("machine.swap", "memory, keys among it, can be written to the swap", fix);
    }
    Finding::good("machine.swap", "memory is not swapped to a disk")
}

fn clock(host: &dyn Host) -> Finding {
    let kept = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/ntpd.pid"];
    if kept.iter().any(|path| host.exists(path)) {
        return Finding::good("machine.clock", "something keeps the clock");
    }
    Finding::advice(
        "machine.clock",
        "nothing that keeps the clock was found; tokens and the access log rely on it",
        "systemd-timesyncd or chrony; in a container the host's",
    )
}

fn files(host: &dyn Host) -> Finding {
    let needed = iris_http::serve::CONNECTIONS_MAX as u64 + 1_024;
    match host.files_max() {
        Some(most) if most < needed => Finding::advice(
            "machine.open_files",
            format!("{most} files may be open at once, so fewer connections are served than could be"),
            format!("LimitNOFILE={needed} in the unit of the service"),
        ),
        _ => Finding::good("machine.open_files", "as many connections as are allowed can be open"),
    }
}

fn modes(folder: &Path) -> Finding {
    let names = PRIVATE.iter().map(|name| folder.join(name)).chain([folder.to_owned()]);
    let open: Vec<String> = names
        .filter(|path| fs::metadata(path).is_ok_and(|found| found.mode() & OTHERS != 0))
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        return Finding::good("folder.modes", "nobody but its owner reads the data folder");
    }
    let fix = format!("chmod -R go= {}", folder.display());
    Finding::missing("folder.modes", format!("others than the owner may look into {}", open.join(", ")), fix)
}

fn room(folder: &Path, asked: rustix::io::Result<StatVfs>) -> Finding {
    let Ok(disk) = asked else {
        let fix = "look at the disk";
        return Finding::advice(
            "folder.room",
            format!("how full the disk of {} is cannot be told", folder.display()),
            fix,
        );
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let percent = disk.f_bavail.saturating_mul(100) / disk.f_blocks.max(1);
    let found = format!("{} MiB free, {percent} % of the disk", free >> 20);
    let fix = "more room: a full disk takes no writes";
    if free < FREE_BYTES_MIN {
        return Finding::missing("folder.room", found, fix);
    }
    if percent < FREE_PERCENT_MIN {
        return Finding::advice("folder.room", found, fix);
    }
    Finding::good("folder.room", found)
}

fn memory_disk(folder: &Path) -> Finding {
    // The type of the number depends on the machine; this one holds them all.
    let in_memory = statfs(folder).is_ok_and(|disk| i128::from(disk.f_type) == TMPFS);
    if in_memory {
        let fix = "IRIS_DATA_DIR on a disk";
        return Finding::missing("folder.disk", "the data folder lies in memory and is gone after a restart", fix);
    }
    Finding::good("folder.disk", "the data folder lies on a disk")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::State;
    use super::*;

    /// A machine on which all is as it should be, or nothing.
    struct Pretended {
        good: bool,
    }

    impl Host for Pretended {
        fn read(&self, path: &str) -> io::Result<String> {
            let (core, swaps) =
                if self.good { ("core", "Filename\n") } else { ("|/usr/bin/x", "Filename\n/dev/sda2 x\n") };
            Ok(if path.ends_with("core_pattern") { core } else { swaps }.to_owned())
        }
        fn exists(&self, _: &str) -> bool {
            self.good
        }
        fn root(&self) -> bool {
            !self.good
        }
        fn files_max(&self) -> Option<u64> {
            (!self.good).then_some(1_024)
        }
        fn leaves_cores(&self) -> bool {
            false
        }
    }

    fn config(folder: &Path) -> Config {
        let sources =
            crate::config::Sources { environment: vec![("IRIS_DATA_DIR".into(), folder.into())], ..Default::default() };
        Config::read(sources).unwrap()
    }

    #[test]
    fn each_point_is_told_from_its_opposite() {
        let absent = config(Path::new("/no/such/folder"));
        let good = examine(&absent, &Pretended { good: true });
        assert!(good.iter().all(|finding| finding.state == State::Good && finding.fix.is_none()), "{good:?}");
        let bad = examine(&absent, &Pretended { good: false });
        assert!(bad.iter().all(|finding| finding.state != State::Good && finding.fix.is_some()), "{bad:?}");
        assert_eq!(good.len(), bad.len());
    }

    #[test]
    fn a_folder_that_others_look_into_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(modes(folder.path()).state, State::Good);
        let key = folder.path().join("root.key");
        fs::write(&key, "x").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        let found = modes(folder.path());
        assert!(found.state == State::Missing && found.found.contains("root.key"), "{found:?}");
    }

    #[test]
    fn a_full_disk_is_seen_before_it_is_full() {
        let disk = |blocks, free| StatVfs { f_frsize: 4_096, f_blocks: blocks, f_bavail: free, ..sample() };
        let state = |blocks, free| room(Path::new("x"), Ok(disk(blocks, free))).state;
        assert_eq!(state(100_000_000, 50_000_000), State::Good);
        assert_eq!(state(100_000_000, 9_999_999), State::Advice);
        assert_eq!((state(1_000_000, 524_288), state(1_000_000, 524_287)), (State::Good, State::Missing));
    }

    fn sample() -> StatVfs {
        statvfs("/").unwrap()
    }
}
