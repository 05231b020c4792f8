//! The `latchkey` program: see `cli`.

fn main() -> std::process::ExitCode {
    latchkey::cli::main()
}
