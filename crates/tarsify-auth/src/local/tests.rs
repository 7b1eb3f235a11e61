//! The subjects of local identities.

use super::LocalKind;
use tarsify_domain::people::AdminRule;
use tarsify_domain::text::EmailAddress;

#[test]
fn a_subject_is_the_kind_and_the_address() {
    let email = EmailAddress::parse("ada@example.com").unwrap();
    assert_eq!(
        LocalKind::Consumer.subject(&email),
        "consumer:ada@example.com"
    );
    assert_eq!(
        LocalKind::Developer.subject(&email),
        "developer:ada@example.com"
    );
    assert_eq!(LocalKind::Admin.subject(&email), "admin:ada@example.com");
}

#[test]
fn a_long_address_is_hashed_and_an_admin_stays_one() {
    let mut subjects = Vec::new();
    for name in ["a".repeat(200), "b".repeat(200)] {
        let email = EmailAddress::parse(&format!("{name}@example.com")).unwrap();
        for kind in LocalKind::ALL {
            let subject = kind.subject(&email);
            assert!(subject.len() <= 128, "{subject}");
            let is_admin = subject.starts_with(AdminRule::LOCAL_PREFIX);
            assert_eq!(is_admin, kind == LocalKind::Admin);
            subjects.push(subject);
        }
    }
    subjects.sort();
    subjects.dedup();
    assert_eq!(subjects.len(), 6);
}
