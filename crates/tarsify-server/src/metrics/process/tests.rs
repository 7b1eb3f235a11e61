//! What is made of the kernel's words.

use std::time::Duration;

use super::{Stat, number_after};

#[test]
fn a_process_may_be_called_anything() {
    let text =
        "4711 (tar) R 1 2 sify) S 1 2 3 0 -1 4194560 900 0 1 0 250 50 0 0 20 0 7 0 12345 99 88";
    let expected = Stat {
        cpu: Duration::from_secs(3),
        threads: 7,
        since_boot: Duration::from_millis(123_450),
    };
    assert_eq!(Stat::parse(text), Some(expected));
}

#[test]
fn what_is_not_as_it_should_be_is_no_number() {
    for text in [
        "",
        "4711 (tarsify",
        "4711 (tarsify) S 1 2 3",
        "1 (x) S a b c d e f g h i j k l",
    ] {
        assert_eq!(Stat::parse(text), None, "{text}");
    }
    let status = "Name:\ttarsify\nVmRSS:\t   61440 kB\nThreads:\t7\n";
    assert_eq!(number_after(status, "VmRSS:"), Some(61_440));
    assert_eq!(number_after(status, "VmSwap:"), None);
    let limits = "Max open files            1048576              1048576              files\n";
    assert_eq!(number_after(limits, "Max open files"), Some(1_048_576));
    assert_eq!(
        number_after("Max open files unlimited", "Max open files"),
        None
    );
}
