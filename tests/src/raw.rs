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

/// The time to wait for more: long for the first byte, short once the response has begun.
fn patience(answer: &[u8]) -> Duration {
    Duration::from_millis(if answer.is_empty() { 8_000 } else { 300 })
}
