//! The binary, built with the suites: the same command line over the same library.

fn main() -> std::process::ExitCode {
    conclave::cli::main()
}
