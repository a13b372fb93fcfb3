//! Programs that mean harm.
mod support;
use sparkjoy_sandbox::*;
use support::*;

#[test]
fn smoke() {
    let Some(sandbox) = sandbox(Limits::default()) else { return };
    let start = std::time::Instant::now();
    println!("{:?}", sandbox.probe());
    println!("{:?}", start.elapsed());
    let r = run(&sandbox, "import os,sys\nprint(os.getuid(), os.getpid(), os.getppid(), os.environ, os.getcwd(), sys.path)\ntry:\n    print(os.listdir('/'))\nexcept OSError as e: print(e)\nimport threading,decimal,hashlib,ctypes,random,math,re,collections\nprint(os.fork())");
    println!("{:?} {} {}", r.ending, printed(&r), String::from_utf8_lossy(&r.errors));
}
