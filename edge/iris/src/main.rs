//! The `iris` binary; everything is in the library beside it, so that it can be tested.

use std::process::ExitCode;

fn main() -> ExitCode {
    iris_app::main()
}
