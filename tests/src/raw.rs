//! Requests as raw bytes, for what no well-behaved client sends.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Sends these bytes to `address` and returns the response's head and body as text. Reads until the
/// connection ends or nothing more arrives. Empty if there is no response.
pub async fn raw(address: &str, bytes: &[u8]) -> String {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut reader, mut writer) = stream.into_split();
    let bytes = bytes.to_vec();
    // The product may respond and close the connection before it has read everything.
    let sending = tokio::spawn(async move {
        let _refused = writer.write_all(&bytes).await;
        writer
    });
    let mut answer = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while let Ok(Ok(read @ 1..)) = timeout(patience(&answer), reader.read(&mut chunk)).await {
        answer.extend_from_slice(&chunk[..read]);
    }
    sending.abort();
    String::from_utf8_lossy(&answer).into_owned()
}

/// The time to wait for more: long until the response is whole, and short for bytes after it.
fn patience(answer: &[u8]) -> Duration {
    match is_whole(answer) {
        true => Duration::from_millis(300),
        false => Duration::from_secs(60),
    }
}

/// Whether the response has a body of its `Content-Length`.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}
