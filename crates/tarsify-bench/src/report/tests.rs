//! What the report says of what was promised.

use super::*;

fn report(rate: f64, memory: f64) -> Report {
    Report {
        least: 1_000.0,
        ceilings: Ceilings {
            reads: 2_000.0,
            transactions: 500.0,
            submits: 100.0,
        },
        rows: vec![Row {
            what: "a paid submit".to_owned(),
            rate,
            half: Duration::from_millis(1),
            most: Duration::from_millis(2),
            cost: (0.1, 0.2),
            promise: Some(('C', 0.35)),
        }],
        marks: vec![Mark {
            what: "resident".to_owned(),
            measured: memory,
            unit: "MB",
            most: 60.0,
        }],
    }
}

#[test]
fn what_was_promised_is_reached_or_named() {
    let kept = report(35.0, 60.0);
    assert!(kept.is_reached());
    assert!(!kept.to_string().contains("missed"), "{kept}");
    for missed in [report(34.0, 60.0), report(35.0, 60.1)] {
        assert!(!missed.is_reached());
        assert_eq!(missed.to_string().matches("**missed**").count(), 1);
    }
}

#[test]
fn figures_stand_in_their_place_and_nothing_else_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("benchmarks.md");
    fs::write(&file, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
    for _ in 0..2 {
        report(35.0, 60.0).write_into(&file).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("before\n"), "{written}");
    assert!(written.ends_with(&format!("{END}\nafter\n")), "{written}");
    assert!(!written.contains("old"), "{written}");
    // The ceiling is called after it, too.
    assert_eq!(written.matches("a paid submit").count(), 2, "{written}");
    fs::write(&file, "no place").unwrap();
    report(35.0, 60.0).write_into(&file).unwrap_err();
}
