//! Replaces, in a line, what tells where and on what a model runs: paths, addresses, names of
//! machines, ids, keys, and data nobody can read.

use std::net::{Ipv4Addr, Ipv6Addr};

const ADDRESS: &str = "[address]";
const PATH: &str = "[path]";
/// What stands for the name of a machine.
pub(super) const NAME: &str = "[name]";
const DATA: &str = "[data]";
const PLACEHOLDERS: [&str; 4] = [ADDRESS, PATH, NAME, DATA];

/// A longer word is none.
const LONGEST_WORD: usize = 100;
/// A shorter mixture of letters and digits may be a word.
const SHORTEST_ID: usize = 12;
/// How far the end of a quoted path is looked for.
const LONGEST_PATH: usize = 300;
/// Whatever begins like this is a key.
const KEYS: [&str; 7] = ["rpa_", "sk-", "hf_", "ghp_", "xoxb-", "AKIA", "eyJ"];
/// What stands before the name of a machine.
const LABELS: [&str; 9] = [
    "hostname",
    "host",
    "worker_id",
    "workerid",
    "pod_id",
    "podid",
    "machine_id",
    "container_id",
    "node_name",
];
/// How names of machines end, as far as names of modules and files do not.
const DOMAINS: [&str; 24] = [
    "com",
    "net",
    "org",
    "io",
    "ai",
    "dev",
    "app",
    "cloud",
    "internal",
    "local",
    "localdomain",
    "lan",
    "svc",
    "cluster",
    "edu",
    "gov",
    "info",
    "xyz",
    "tech",
    "de",
    "eu",
    "uk",
    "us",
    "co",
];

/// The line without them, and with single spaces.
pub(super) fn redact(line: &str) -> String {
    let line = without_quoted_paths(line);
    let mut redactor = Redactor::default();
    for word in line.split_whitespace() {
        redactor.word(word);
    }
    redactor.line
}

/// Whether anything is left to read.
pub(super) fn says_something(line: &str) -> bool {
    let mut line = line.to_owned();
    for placeholder in PLACEHOLDERS {
        line = line.replace(placeholder, "");
    }
    line.contains(char::is_alphanumeric)
}

/// Paths in quotes may hold spaces.
fn without_quoted_paths(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let (before, quoted) = rest.split_at(at);
        clean.push_str(before);
        let mut characters = quoted.chars();
        let quote = characters.next().unwrap_or('"');
        clean.push(quote);
        rest = characters.as_str();
        let end = rest.find(quote).filter(|end| *end <= LONGEST_PATH);
        if let Some(end) = end.filter(|_| is_path(rest)) {
            clean.push_str(PATH);
            rest = rest.split_at(end).1;
        }
    }
    clean.push_str(rest);
    clean
}

#[derive(Default)]
struct Redactor {
    line: String,
    /// Whether a label was just read.
    after_label: bool,
    /// Whether what comes next is what it labels.
    expects_name: bool,
}

impl Redactor {
    fn word(&mut self, word: &str) {
        if !self.line.is_empty() {
            self.line.push(' ');
        }
        let mut rest = word;
        if let Some((before, after)) = around_address(word) {
            self.runs(before);
            self.line.push_str(ADDRESS);
            self.forget();
            rest = after;
            if around_address(rest).is_some() {
                // Whoever writes several into one word may go without what is between them.
                return;
            }
        }
        self.runs(rest);
    }

    /// The parts of a word between brackets, quotes and the like.
    fn runs(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(is_separator) {
            let (run, after) = rest.split_at(at);
            self.run(run);
            let mut characters = after.chars();
            if let Some(separator) = characters.next() {
                self.expects_name |= separator == '=' && self.after_label;
                self.line.push(separator);
            }
            rest = characters.as_str();
        }
        self.run(rest);
    }

    fn run(&mut self, run: &str) {
        if run.is_empty() {
            return;
        }
        if PLACEHOLDERS
            .iter()
            .any(|known| known.trim_matches(['[', ']']) == run)
        {
            self.line.push_str(run);
            self.forget();
            return;
        }
        let core = run.trim_end_matches(['.', ':', '!', '?']);
        let (_, end) = run.split_at(core.len());
        if core.is_empty() {
            self.expects_name |= end.starts_with(':') && self.after_label;
        } else if self.expects_name {
            self.line.push_str(NAME);
            self.forget();
        } else {
            self.after_label = LABELS.contains(&core.to_ascii_lowercase().as_str());
            self.expects_name = self.after_label && end.starts_with(':');
            match without_place(core) {
                Some(clean) => self.line.push_str(&clean),
                None => self.line.push_str(core),
            }
        }
        self.line.push_str(end);
    }

    fn forget(&mut self) {
        (self.after_label, self.expects_name) = (false, false);
    }
}

fn is_separator(character: char) -> bool {
    matches!(
        character,
        '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | '|' | '='
    )
}

/// What stands in a word before and after an address with a scheme.
fn around_address(word: &str) -> Option<(&str, &str)> {
    let (before, after) = word.split_once("://")?;
    let is_scheme =
        |character: char| character.is_ascii_alphanumeric() || "+.-".contains(character);
    let before = before.trim_end_matches(is_scheme);
    let end = after.find(['"', '\'', '`', '<', '>']);
    let (_, after) = after.split_at(end.unwrap_or(after.len()));
    Some((before, after))
}

/// The run with placeholders, if it has to be changed.
fn without_place(run: &str) -> Option<String> {
    if KEYS.iter().any(|key| run.starts_with(key)) && run.len() >= SHORTEST_ID {
        return Some(DATA.to_owned());
    }
    if run.is_ascii() && run.len() > LONGEST_WORD {
        return Some(DATA.to_owned());
    }
    if is_machine(run) {
        return Some(ADDRESS.to_owned());
    }
    if let Some(at) = path_start(run) {
        let (before, _) = run.split_at(at);
        let before = without_place(before).unwrap_or_else(|| before.to_owned());
        return Some(format!("{before}{PATH}"));
    }
    run.split(['-', '_', '.', ':', '/', '@', '#', '+', '~'])
        .any(is_id)
        .then(|| NAME.to_owned())
}

/// Where an absolute path begins in a run.
fn path_start(run: &str) -> Option<usize> {
    if is_path(run) {
        return Some(0);
    }
    let is_end = |before: char| !before.is_alphanumeric() && !matches!(before, '.' | '/');
    let mut before = None;
    for (at, character) in run.char_indices() {
        let (_, rest) = run.split_at(at);
        if before.is_some_and(is_end) && is_path(rest) {
            return Some(at);
        }
        before = Some(character);
    }
    None
}

fn is_path(text: &str) -> bool {
    let is_name = |character: char| character.is_alphanumeric() || "._-~@%".contains(character);
    if let Some(rest) = text.strip_prefix('/') {
        return rest.trim_start_matches('/').starts_with(is_name);
    }
    if text.starts_with("../") || text.starts_with("~/") || text.starts_with("\\\\") {
        return true;
    }
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|drive| drive.is_ascii_alphabetic())
        && characters.next() == Some(':')
        && matches!(characters.next(), Some('\\' | '/'))
}

/// Whether it is an IP address or the name of a machine, with or without port and path.
fn is_machine(run: &str) -> bool {
    if run.parse::<Ipv6Addr>().is_ok() && run.len() > 2 {
        return true;
    }
    run.split('@').any(is_host)
}

fn is_host(text: &str) -> bool {
    let host = text.split(['/', '?', '#']).next().unwrap_or(text);
    let host = host.split(':').next().unwrap_or(host).trim_end_matches('.');
    if host.parse::<Ipv4Addr>().is_ok() || host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let Some((labels, domain)) = host.rsplit_once('.') else {
        return false;
    };
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let domain = domain.to_ascii_lowercase();
    !labels.is_empty() && labels.bytes().all(is_label) && DOMAINS.contains(&domain.as_str())
}

/// Whether it is a mixture of small letters and digits that nobody would write by hand.
fn is_id(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let letters = part.bytes().filter(u8::is_ascii_lowercase).count();
    part.len() >= SHORTEST_ID && digits >= 2 && letters >= 2 && digits + letters == part.len()
}
