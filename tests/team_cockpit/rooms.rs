//! The client of a room against the real server: two of them, an edit without the server, and a proxy that knows no
//! WebSockets.

use std::net::SocketAddr;

use sayso::client::room::replica::Replica;
use sayso::client::room::{RoomItem, RoomLink, RoomOptions, Standing, join};
use sayso::client::{Client, Endpoint};
use sayso::model::room::Presence;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use crate::journey_support::PATIENCE;
use crate::journey_support::machine::Machine;
use crate::server::{Server, TOKEN};

const ROOM: &str = "project:site";

/// Somebody in a room, without a cockpit.
struct Person {
    replica: Replica,
    link: RoomLink,
    items: Receiver<RoomItem>,
    standing: Standing,
}

impl Person {
    fn join(client: Client, name: &str) -> Self {
        let (link, items) = join(client, ROOM.to_owned(), RoomOptions::default());
        let mut presence = Presence::default();
        presence.user.name = name.into();
        let mut replica = Replica::new();
        drop(replica.show(Some(&presence), 0));
        Self {
            replica,
            link,
            items,
            standing: Standing::Connecting,
        }
    }

    /// Takes part until `wanted` holds.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !wanted(self) {
                let item = self.items.recv().await.expect("the link lives");
                self.take(item);
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("waited in vain for {what}: {:?}", self.standing);
        }
    }

    fn take(&mut self, item: RoomItem) {
        match item {
            RoomItem::Standing(standing) => {
                if !standing.is_live() {
                    self.replica.alone();
                }
                self.standing = standing;
            }
            RoomItem::Open => self.link.greet(self.replica.greeting()),
            RoomItem::Frame(frame) => {
                let taken = self.replica.take(&frame, 0).unwrap();
                self.link.send(taken.answers);
            }
            RoomItem::Everyone(frame) => {
                let taken = self.replica.take_everyone(&frame, 0).unwrap();
                self.link.send(taken.answers);
            }
            RoomItem::Renew => {}
        }
    }

    fn write(&mut self, text: &str) {
        let frame = self.replica.write("a.txt", text).unwrap();
        self.link.send(frame.into_iter().collect());
    }

    fn text(&self) -> String {
        self.replica.text("a.txt").unwrap_or_default()
    }

    fn names(&self) -> Vec<String> {
        let others = self.replica.others().into_iter();
        others.map(|other| other.presence.user.name).collect()
    }
}

/// Both take part until `wanted` holds.
async fn together(
    one: &mut Person,
    other: &mut Person,
    what: &str,
    wanted: impl Fn(&Person, &Person) -> bool,
) {
    let both = async {
        while !wanted(one, other) {
            tokio::select! {
                item = one.items.recv() => one.take(item.expect("the link lives")),
                item = other.items.recv() => other.take(item.expect("the link lives")),
            }
        }
    };
    if timeout(PATIENCE, both).await.is_err() {
        panic!(
            "waited in vain for {what}: {:?} {:?}, {:?} {:?}",
            one.standing,
            one.text(),
            other.standing,
            other.text()
        );
    }
}

#[test]
fn two_clients_meet_write_apart_and_meet_again() {
    let machine = Machine::new();
    let mut server = Server::start(&machine);
    let client = server.client();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut ada, mut grace) = runtime.block_on(async {
        let mut ada = Person::join(client.clone(), "Ada");
        ada.until("a live room", |one| one.standing == Standing::Live)
            .await;
        let mut grace = Person::join(client.clone(), "Grace");
        grace.until("Ada", |one| one.names() == ["Ada"]).await;
        ada.until("Grace", |one| one.names() == ["Grace"]).await;
        ada.write("one\ntwo\nthree\n");
        grace
            .until("what Ada wrote", |one| one.text().contains("two"))
            .await;
        (ada, grace)
    });
    server.kill();
    runtime.block_on(async {
        for person in [&mut ada, &mut grace] {
            let gone = |one: &Person| matches!(one.standing, Standing::Waiting { .. });
            person.until("that the server is away", gone).await;
            assert!(person.names().is_empty());
        }
        ada.write("zero\none\ntwo\nthree\n");
        grace.write("one\ntwo\nthree\nfour\n");
    });
    server.again();
    runtime.block_on(async {
        let all = "zero\none\ntwo\nthree\nfour\n";
        together(&mut ada, &mut grace, "both texts", |one, other| {
            one.text() == all && other.text() == all
        })
        .await;
        ada.until("Grace again", |one| one.names() == ["Grace"])
            .await;
        // One leaves: gone at once, without waiting for a silence.
        drop(grace);
        ada.until("that Grace left", |one| one.names().is_empty())
            .await;
    });
}

/// A proxy of the old kind: every header is passed on but those of an upgrade.
async fn proxy(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut byte = [0; 1];
                while !head.ends_with(b"\r\n\r\n") {
                    match from.read(&mut byte).await {
                        Ok(1) => head.push(byte[0]),
                        _ => return,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let mut lines: Vec<String> = head
                    .split("\r\n")
                    .filter(|line| {
                        let name = line.to_ascii_lowercase();
                        !name.starts_with("upgrade:") && !name.starts_with("connection:")
                    })
                    .map(str::to_owned)
                    .collect();
                lines.retain(|line| !line.to_ascii_lowercase().starts_with("host:"));
                lines.insert(1, "Connection: close".to_owned());
                lines.insert(1, format!("Host: {to}"));
                let Ok(mut to) = TcpStream::connect(to).await else {
                    return;
                };
                if to.write_all(lines.join("\r\n").as_bytes()).await.is_ok() {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                }
            });
        }
    });
    address
}

#[test]
fn behind_a_proxy_without_websockets_a_room_is_reached_by_http() {
    let machine = Machine::new();
    let server = Server::start(&machine);
    let direct = server.client();
    let address = direct.endpoint().url.socket_addrs(|| None).unwrap()[0];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let proxied = proxy(address).await;
        let through = Client::new(Endpoint {
            url: format!("http://{proxied}/").parse().unwrap(),
            token: TOKEN.into(),
        })
        .unwrap();
        let mut ada = Person::join(direct, "Ada");
        ada.until("a live room", |one| one.standing == Standing::Live)
            .await;
        ada.write("by socket\n");
        let mut grace = Person::join(through, "Grace");
        grace
            .until("the way by HTTP", |one| one.standing == Standing::ByHttp)
            .await;
        grace
            .until("text and people", |one| {
                one.text() == "by socket\n" && one.names() == ["Ada"]
            })
            .await;
        grace.write("by socket\nby calls\n");
        together(
            &mut ada,
            &mut grace,
            "what was written by calls",
            |ada, _| ada.text() == "by socket\nby calls\n" && ada.names() == ["Grace"],
        )
        .await;
    });
}
