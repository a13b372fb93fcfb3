//! The launcher as a program of its own, for the tests. The command line runs the same code for its
//! hidden argument.

fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == sparkjoy_sandbox::HIDDEN_ARGUMENT) {
        sparkjoy_sandbox::confined(arguments)
    }
    std::process::ExitCode::from(2)
}
