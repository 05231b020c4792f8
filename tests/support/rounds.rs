//! How often a test of chance is repeated.

/// So many rounds in the ordinary command, and `LATCHKEY_TEST_ROUNDS` times as many in `tests/run long`.
pub fn rounds(ordinary: usize) -> usize {
    let times = std::env::var("LATCHKEY_TEST_ROUNDS").ok();
    ordinary * times.map_or(1, |times| times.parse::<usize>().expect("LATCHKEY_TEST_ROUNDS is a number"))
}
