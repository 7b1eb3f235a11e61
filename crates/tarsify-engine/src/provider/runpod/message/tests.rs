//! What is left of errors as models, frameworks and platforms write them.

use serde_json::{Value, json};

use super::*;

fn check(table: &[(Value, Option<&str>)]) {
    for (error, expected) in table {
        let message = public_message(error);
        assert_eq!(message.as_deref(), *expected, "{error}");
    }
}

#[test]
fn the_words_are_found_whatever_the_shape() {
    check(&[
        (json!("CUDA out of memory"), Some("CUDA out of memory")),
        (json!({ "message": "no" }), Some("no")),
        (json!({ "error": { "detail": "no" } }), Some("no")),
        (json!({ "title": "no", "status": 1 }), Some("no")),
        (
            json!({ "detail": [{ "loc": [], "msg": "no" }] }),
            Some("no"),
        ),
        (json!({ "message": "", "title": "no" }), Some("no")),
        (
            json!("{\"error_message\": \"no\", \"hostname\": \"h\"}"),
            Some("no"),
        ),
        (json!("\"no\""), Some("no")),
        (json!(["no", "yes"]), Some("no")),
        (json!(500), Some("500")),
        (json!({ "hostname": "h" }), None),
        (json!("{\"hostname\": \"h\"}"), None),
        (json!({ "output": "no", "input": "no" }), None),
        (
            json!({ "error": { "error": { "error": { "error": "deep" } } } }),
            None,
        ),
        (json!("  \n "), None),
        (json!(""), None),
        (json!(true), None),
        (Value::Null, None),
    ]);
}

#[test]
fn reports_that_cannot_be_read_are_cut() {
    check(&[
        (
            json!("{\"error_type\": \"X\", \"error_traceback\": \"Traceback (most re"),
            None,
        ),
        (json!("{'error_message': 'x', 'hostname': 'hal'}"), None),
        (
            json!("Handler failed: {\"worker_id\": \"hal\", \"hostname\": "),
            Some("Handler failed:"),
        ),
    ]);
}

#[test]
fn stack_traces_go_and_what_they_are_about_stays() {
    let python = "Traceback (most recent call last):\n  File \"/src/handler.py\", line 41, in handler\n    raise RuntimeError(\"CUDA\")\n    ^^^^^\nRuntimeError: CUDA out of memory\n";
    let chained = format!(
        "{python}\nDuring handling of the above exception, another exception occurred:\n\n{python}"
    );
    check(&[
        (json!(python), Some("RuntimeError: CUDA out of memory")),
        (
            json!(python.replace('\n', "\\n")),
            Some("RuntimeError: CUDA out of memory"),
        ),
        (
            json!(chained),
            Some("RuntimeError: CUDA out of memory RuntimeError: CUDA out of memory"),
        ),
        (
            json!("Failed: Traceback (most recent call last): File \"/x.py\", line 1, in f"),
            Some("Failed:"),
        ),
        (
            json!("SyntaxError in File \"/app/x.py\", line 7"),
            Some("SyntaxError in"),
        ),
        (
            json!(
                "TypeError: x is undefined\n    at f (/app/bar.js:1:2)\n    at node:internal/main:22:3"
            ),
            Some("TypeError: x is undefined"),
        ),
        (
            json!("TypeError: x is undefined at f (bar.js:1:2) at g (baz.js:3:4)"),
            Some("TypeError: x is undefined"),
        ),
        (
            json!(
                "thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds\nstack backtrace:\n   0: std::panicking::begin\n             at /rustc/abc/x.rs:1:1\nnote: run with `RUST_BACKTRACE=full`"
            ),
            Some("index out of bounds"),
        ),
        (
            json!(
                "CUDA error: no kernel image\nException raised from f at ../c10/x.cpp:36 (most recent call first):\nframe #0: c10::Error + 0x57 (0x7f1 in /usr/lib/libc10.so)\n#1 0x00007f in main () at x.cc:1"
            ),
            Some("CUDA error: no kernel image Exception raised from f at [path]"),
        ),
        (
            json!(
                "java.lang.Error: no\n\tat a.B.c(B.java:12)\n\tat a.B.d(Native Method)\n\t... 12 more"
            ),
            Some("java.lang.Error: no"),
        ),
        (
            json!("Look at the prompt at 3: it is empty"),
            Some("Look at the prompt at 3: it is empty"),
        ),
    ]);
}

#[test]
fn paths_addresses_and_names_are_replaced() {
    check(&[
        (
            json!("No such file: '/runpod-volume/my models/x.bin'"),
            Some("No such file: '[path]'"),
        ),
        (
            json!("cannot open /src/a.py: gone"),
            Some("cannot open [path]: gone"),
        ),
        (
            json!("path=/srv/x, C:\\Users\\me and ~/x"),
            Some("path=[path], [path] and [path]"),
        ),
        (
            json!("GET https://me:pw@h.example/a?token=x=y (\"wss://h/b\") failed"),
            Some("GET [address] (\"[address]\") failed"),
        ),
        (
            json!("HTTPSConnectionPool(host='cdn-7', port=443): gone"),
            Some("HTTPSConnectionPool(host='[name]', port=443): gone"),
        ),
        (
            json!("hostname: hal-9000 is down"),
            Some("hostname: [name] is down"),
        ),
        (
            json!("no answer from huggingface.co, 10.0.0.7:8080, [fe80::1] or localhost:80"),
            Some("no answer from [address], [address], [[address]] or [address]"),
        ),
        (json!("mail bob@mail.example.com"), Some("mail [address]")),
        (
            json!("worker xv5pibxjfyz6k5 died"),
            Some("worker [name] died"),
        ),
        (json!("bad key rpa_ABCDEFGH1234567"), Some("bad key [data]")),
        (
            json!(format!("got data:image/png;base64,{}", "QUJD".repeat(50))),
            Some("got data:image/png;base64,[data]"),
        ),
        (json!("/src/handler.py"), None),
    ]);
}

#[test]
fn ordinary_words_stay() {
    for text in [
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0)",
        "the prompt and/or image is not safe: use 1/2 of it",
        "model stabilityai/stable-diffusion-xl-base-1.0 needs image/png",
        "ValueError: `width` must be <= 2048, got 4096 (12:30:45)",
        "host is missing, e.g. this one. See the documentation",
        "kein Bild: 画像がありません",
        "HTTP 503: float16 at 1024x1024 needs v1.2",
    ] {
        assert_eq!(public_message(&json!(text)).as_deref(), Some(text));
    }
}

#[test]
fn known_words_are_hidden_wherever_they_stand() {
    let error = json!({ "error_message": "pod-7 is gone from pod-7x", "hostname": "pod-7" });
    let message = public_message(&error);
    assert_eq!(message.as_deref(), Some("[name] is gone from [name]x"));
    let cleaner = Cleaner::hiding(Some("SECRETKEY".to_owned()));
    let message = cleaner.message(&json!("key SECRET\u{200b}KEY\0 is bad"), 500);
    assert_eq!(message.as_deref(), Some("key [name] is bad"));
}

#[test]
fn it_is_one_line_of_at_most_500_characters() {
    let long = "é words ".repeat(10_000);
    let message = public_message(&json!(long)).unwrap();
    assert_eq!(message.chars().count(), 500);
    assert!(message.ends_with('…'));
    let message = public_message(&json!("a\u{1b}[31mb\u{1b}[0m\r\n\tc\0d\u{202e}e")).unwrap();
    assert_eq!(message, "ab cde");
    let short = tidy("  a\n b \u{7} ", 40);
    assert_eq!(short, "a b");
}
