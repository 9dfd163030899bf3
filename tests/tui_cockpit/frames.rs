use super::support::*;
#[test]
fn show() {
    let mut desk = Desk::new(80, 24);
    println!("{}", desk.dump());
    desk.propose(&three_hunks());
    desk.press("n s");
    println!("{}", desk.dump());
}
