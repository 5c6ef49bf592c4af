//! The binary: a command line around the library.

// requests are many small allocations on several threads, for which the system's allocator needs three times as long
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    conclave::cli::main()
}
