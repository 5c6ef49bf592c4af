//! The binary: a command line around the library.

fn main() -> std::process::ExitCode {
    conclave::cli::main()
}
