use actix_web::test::TestRequest;

use super::*;

const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn parent_of(sent: &[&str]) -> Option<String> {
    let request = sent.iter().fold(TestRequest::get(), |request, value| {
        request.append_header((TRACE_PARENT, *value))
    });
    let parent = parent(request.to_srv_request().headers());
    parent.map(|parent| parent.to_string())
}

#[test]
fn one_good_word_is_believed_and_nothing_else() {
    assert_eq!(parent_of(&[GOOD]).as_deref(), Some(GOOD));
    assert_eq!(parent_of(&[]), None);
    assert_eq!(parent_of(&[GOOD, GOOD]), None);
    assert_eq!(parent_of(&["nonsense"]), None);
}

#[test]
fn a_made_up_method_and_a_made_up_address_are_no_names() {
    let request = TestRequest::with_uri("/canary?canary=canary");
    let request = request.method("CANARY".parse().unwrap()).to_srv_request();
    assert_eq!(name(&request), "other unknown");
}
