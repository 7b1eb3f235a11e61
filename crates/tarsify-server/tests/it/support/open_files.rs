//! Files and connections that a process has open: how many, and how many it may.

use std::fs;

use super::Server;

/// How many a server has open.
pub(crate) fn open_files(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.process.id());
    fs::read_dir(folder).unwrap().count()
}

/// This process, whose tests run beside one another, and a server that it starts may have so many
/// open for one test; what they need otherwise comes on top.
#[track_caller]
pub(crate) fn assert_may_open(many: usize) {
    let needed = many + 300;
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let most = line.unwrap().split_whitespace().nth(3).unwrap();
    // It may be unlimited.
    let is_enough = most.parse().is_ok_and(|most: usize| most >= needed) || most == "unlimited";
    assert!(
        is_enough,
        "this test needs {needed} open files, and a process may have {most} here: `ulimit -n {needed}` \
         raises that for this shell (scripts/test does so by itself)"
    );
}
