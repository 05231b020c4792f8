//! The `latchkey` program: see `cli`.

use std::process::ExitCode;

use latchkey::{cli, logging};

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    // Before any thread starts.
    if let Err(message) = cli.begin() {
        eprintln!("{message}");
        return ExitCode::FAILURE;
    }
    let lines = logging::start(cli.log_format());
    let ended = actix_web::rt::System::new().block_on(cli::run(cli));
    lines.flush_all();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
