use super::support::*;

#[test]
fn quitting_gives_the_terminal_back() {
    let mut term = Term::ready(&Setup {
        keyboard: true,
        ..Setup::default()
    });
    println!("{}", term.screen());
    term.send("q");
    term.ended();
    println!("{:?}", term.raw());
}
