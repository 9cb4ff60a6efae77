//! The agent's endpoint, asked by a real client.

use puma_core::Cancel;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

fn ask(url: &str, token: Option<&str>) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().expect("the server answers");
    (response.status().as_u16(), response.body_mut().read_to_string().expect("a text"))
}

#[test]
fn only_who_knows_the_token_reads_and_nobody_writes() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let cancel = Cancel::default();
    let served = thread::spawn({
        let cancel = cancel.clone();
        let mut count = 0;
        let answer = move || {
            count += 1;
            format!("{{\"asked\":{count}}}")
        };
        move || puma_web::agent::serve(listener, "/v1/energy", "secret", answer, &cancel)
    });
    let url = format!("{base}/v1/energy");
    assert_eq!(ask(&url, Some("secret")), (200, "{\"asked\":1}".to_owned()));
    for token in [None, Some(""), Some("Secret"), Some("secretsecret")] {
        let (status, body) = ask(&url, token);
        assert_eq!(status, 401, "{token:?}");
        assert!(!body.contains("asked"), "{body}");
    }
    assert_eq!(ask(&url, Some("secret")).1, "{\"asked\":2}", "refused questions read no meter");
    assert_eq!(ask(&base, Some("secret")).0, 404);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let posted = agent.post(&url).header("Authorization", "Bearer secret").send("x").expect("an answer");
    assert_eq!(posted.status().as_u16(), 405);

    let before = Instant::now();
    cancel.cancel();
    served.join().expect("the server does not panic").expect("it ends well");
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_meter_that_hangs_does_not_keep_the_server_alive() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/e", listener.local_addr().expect("an address"));
    let cancel = Cancel::default();
    let answer = || {
        thread::sleep(Duration::from_secs(60));
        String::new()
    };
    let served = thread::spawn({
        let cancel = cancel.clone();
        move || puma_web::agent::serve(listener, "/e", "t", answer, &cancel)
    });
    let client = thread::spawn(move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build().into();
        agent.get(&url).header("Authorization", "Bearer t").call().is_err()
    });
    thread::sleep(Duration::from_millis(300));
    cancel.cancel();
    served.join().expect("no panic").expect("it ends well");
    assert!(client.join().expect("no panic"), "the connection was cut");
}
