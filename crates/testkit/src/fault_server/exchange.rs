//! HTTP/1.1 as far as the server needs it: one request and one answer a connection.

use super::behaviour::Fault;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request as it came.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
}

/// An answer before any fault is applied.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// Sent as chunks, in order; a stream has many.
    pub(super) parts: Vec<String>,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", parts: vec![body.to_string()] }
    }
}

/// Reads one request.
pub(super) fn read_request(stream: &TcpStream) -> io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => authorization = Some(value.trim().to_owned()),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Asked { method, path, authorization, body })
}

/// Sends `answer` as it should be: one part with its length, several as chunks.
pub(super) fn send(stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    if let [only] = answer.parts.as_slice() {
        head(stream, answer.status, answer.content_type, &format!("Content-Length: {}\r\n", only.len()))?;
        return stream.write_all(only.as_bytes());
    }
    send_chunks(stream, answer)?;
    stream.write_all(b"0\r\n\r\n")
}

pub(super) fn send_chunks(stream: &mut TcpStream, answer: &Answer) -> io::Result<()> {
    head(stream, answer.status, answer.content_type, "Transfer-Encoding: chunked\r\n")?;
    for part in &answer.parts {
        write!(stream, "{:x}\r\n{part}\r\n", part.len())?;
        stream.flush()?;
    }
    Ok(())
}

/// Sends `answer` with the faults that concern bytes; `error_part` is an error in the form of the stream.
pub(super) fn send_broken(
    stream: &mut TcpStream,
    mut answer: Answer,
    fault: &Fault,
    error_part: String,
) -> io::Result<()> {
    let text = answer.parts.concat();
    let half = &text.as_bytes()[..text.len() / 2];
    let kind = answer.content_type;
    match fault {
        Fault::Status(status) => {
            let body = serde_json::json!({"error": format!("scripted failure with status {status}")});
            send(stream, &Answer::json(*status, &body))
        }
        Fault::RetryAfter { status, value } => {
            let body = r#"{"error":"come back later"}"#;
            let extra = format!("Retry-After: {value}\r\nContent-Length: {}\r\n", body.len());
            head(stream, *status, "application/json", &extra)?;
            stream.write_all(body.as_bytes())
        }
        Fault::CutMidBody => {
            head(stream, 200, kind, &format!("Content-Length: {}\r\n", text.len()))?;
            stream.write_all(half)
        }
        Fault::CutAfter { bytes } => {
            head(stream, 200, kind, "")?;
            stream.write_all(&text.as_bytes()[..text.len().min(*bytes)])
        }
        Fault::CutChunked => {
            answer.parts.truncate(answer.parts.len().div_ceil(2));
            send_chunks(stream, &answer)
        }
        Fault::HalfJson | Fault::LengthTooShort => {
            head(stream, 200, kind, &format!("Content-Length: {}\r\n", half.len()))?;
            stream.write_all(if *fault == Fault::HalfJson { half } else { text.as_bytes() })
        }
        Fault::MidStreamError => {
            answer.parts.truncate(answer.parts.len() / 2);
            answer.parts.push(error_part);
            send(stream, &answer)
        }
        Fault::EmptyBody => head(stream, 200, kind, "Content-Length: 0\r\n"),
        Fault::HugeBody { bytes } => {
            head(stream, 200, kind, &format!("Content-Length: {}\r\n", bytes + text.len()))?;
            let blanks = [b' '; 1 << 16];
            let mut left = *bytes;
            while left > 0 {
                let now = left.min(blanks.len());
                stream.write_all(&blanks[..now])?;
                left -= now;
            }
            stream.write_all(text.as_bytes())
        }
        Fault::NotJson => {
            let page = "<html><body>Welcome to nginx!</body></html>\n";
            head(stream, 200, "text/html", &format!("Content-Length: {}\r\n", page.len()))?;
            stream.write_all(page.as_bytes())
        }
        Fault::NotHttp => stream.write_all(b"220 mail.example.org ESMTP ready\r\n"),
        Fault::Redirect(target) => head(stream, 307, kind, &format!("Location: {target}\r\nContent-Length: 0\r\n")),
        Fault::Drip { byte_ms } => {
            head(stream, answer.status, kind, &format!("Content-Length: {}\r\n", text.len()))?;
            for byte in text.bytes() {
                stream.write_all(&[byte])?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(*byte_ms));
            }
            Ok(())
        }
        Fault::HangUp | Fault::NeverAnswers => Ok(()),
        Fault::EmptyAnswer | Fault::Truncated => send(stream, &answer),
    }
}

fn head(stream: &mut TcpStream, status: u16, content_type: &str, extra: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\nConnection: close\r\n{extra}\r\n")
}
