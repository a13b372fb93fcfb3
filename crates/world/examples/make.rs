//! Writes a world: FOLDER SEED BYTES.
use sparkjoy_base::Seed;
use std::sync::atomic::AtomicBool;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let world = sparkjoy_world::World::new(Seed(a[2].parse().unwrap()));
    world.write(a[1].as_ref(), a[3].parse().unwrap(), &AtomicBool::new(false)).unwrap();
}
