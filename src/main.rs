use std::process::ExitCode;

use latchkey::{cli, logging};

fn main() -> ExitCode {
    let lines = logging::start();
    let cli = cli::Cli::read();
    let ended = actix_web::rt::System::new().block_on(cli::run(cli));
    lines.write_out();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
