//! Measures storage engines on this project's access pattern; `docs/stores.md` has figures and method.
//!
//! `cargo run --profile quick -p conclave --example store_bench [-- fjall redb memory durable durable-without-caches]`

mod durable;
mod engines;
mod load;

fn main() -> load::Outcome<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|want| want == name);
    for (name, open) in engines::ALL {
        if wanted(name) {
            load::measure(name, *open)?;
        }
    }
    durable::measure(wanted)
}
