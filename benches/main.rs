//! What `make bench` needs of Rust: parsers to compare the decoder with, and a client that throws everything away.

mod decode;
mod drain;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["drain", file] => drain::run(file),
        _ => decode::run(),
    }
}
