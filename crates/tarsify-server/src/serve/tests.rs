//! What connections inherit from the socket that they came through.

use std::net::TcpStream;

use socket2::SockRef;

use super::*;

#[test]
fn whoever_is_let_in_may_not_stall_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let_go_of_the_stalled(&listener).unwrap();
    let _caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (let_in, _) = listener.accept().unwrap();
    let patience = SockRef::from(&let_in).tcp_user_timeout().unwrap();
    assert_eq!(patience, Some(STALLED));
}
