//! The program `usher`.

/// Gives memory back to the system after a peak, and costs less of each call than the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    usher::cli::main()
}
