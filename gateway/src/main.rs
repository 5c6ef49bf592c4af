//! The binary: a command line around the library.

// requests are many small allocations on several threads, which the system's allocator serves at a third of their cost
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    conclave::cli::main()
}
