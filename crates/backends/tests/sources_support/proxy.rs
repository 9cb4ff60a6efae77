//! A TCP proxy that cuts or damages what comes back from a real server.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What happens to the answers of one connection.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Close after this many bytes.
    CutAfter(usize),
    /// Flip one bit of the byte at this position.
    FlipAt(usize),
}

/// A proxy in front of `127.0.0.1:target`. The first connection whose answers reach a fault's position uses it up.
pub struct Proxy {
    pub port: u16,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl Proxy {
    pub fn start(target: u16, faults: impl IntoIterator<Item = Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults: Arc<Mutex<VecDeque<Fault>>> = Arc::new(Mutex::new(faults.into_iter().collect()));
        let shared = Arc::clone(&faults);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                let faults = Arc::clone(&shared);
                let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from_client, &mut to_server);
                    let _ = to_server.shutdown(Shutdown::Write);
                });
                std::thread::spawn(move || answers(server, client, &faults));
            }
        });
        Self { port, faults }
    }

    pub fn faults_left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }
}

fn answers(mut server: TcpStream, mut client: TcpStream, faults: &Mutex<VecDeque<Fault>>) {
    let mut buffer = vec![0; 64 << 10];
    let mut passed = 0;
    while let Ok(read) = server.read(&mut buffer) {
        if read == 0 {
            break;
        }
        let mut keep = read;
        {
            let mut faults = faults.lock().unwrap();
            match faults.front().copied() {
                Some(Fault::CutAfter(at)) if at < passed + read => {
                    keep = at.saturating_sub(passed);
                    faults.pop_front();
                }
                Some(Fault::FlipAt(at)) if (passed..passed + read).contains(&at) => {
                    buffer[at - passed] ^= 1;
                    faults.pop_front();
                }
                _ => {}
            }
        }
        if client.write_all(&buffer[..keep]).is_err() || keep < read {
            break;
        }
        passed += read;
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
