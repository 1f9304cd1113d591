//! The admin socket: commands beside a running server.
//!
//! A Unix socket in the data folder, open to the folder's owner alone (0600, in a folder of 0700). One connection carries one
//! command as a JSON line; replies come back as JSON lines, the last one `done` or `failed`. When the other side goes away,
//! the command is told to stop.

mod client;
mod server;

pub use client::call;
pub use server::AdminSocket;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Name of the socket in the data folder.
pub const SOCKET_NAME: &str = "admin.sock";
/// Longest command line, in bytes (a long list of paths fits).
const COMMAND_BYTES_MAX: u64 = 4 << 20;
/// Longest wait for a command after somebody has connected.
const COMMAND_WAIT_MAX: Duration = Duration::from_secs(5);
/// Pause after an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Most commands at the same time.
const COMMANDS_MAX: usize = 8;
/// Longest path that fits into a socket address, with room for the terminator.
const ADDRESS_BYTES_MAX: usize = 107;

/// The socket's address. Where the folder's path is too long for one, it goes through the open folder's descriptor, which
/// must stay open while the address is used.
fn address(folder: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let path = folder.join(SOCKET_NAME);
    if path.as_os_str().len() <= ADDRESS_BYTES_MAX {
        return Ok((path, None));
    }
    let open = File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(SOCKET_NAME);
    Ok((short, Some(open)))
}

#[cfg(test)]
mod tests;
