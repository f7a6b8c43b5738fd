//! Reads a request's body with a limit on its size and time.

use crate::refusal::Refusal;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use hyper::header::{EXPECT, HeaderMap};
use std::error::Error;
use std::time::Duration;
use tokio::time::timeout;

/// The largest payload of an invocation in
/// [Lambda](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), in bytes.
pub(crate) const LIMIT: usize = 6 * 1024 * 1024;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long the rest of a refused body is read and dropped.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The whole body, at most [`LIMIT`] bytes of it.
///
/// # Errors
/// [`Refusal::TooLarge`], [`Refusal::Slow`] or [`Refusal::Broken`].
pub(crate) async fn read<B>(headers: &HeaderMap, mut body: B) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let declared = body.size_hint().lower();
    if declared > LIMIT as u64 {
        // A client that waits for `100 Continue` gets the refusal instead and sends no body.
        if !headers.contains_key(EXPECT) {
            tokio::spawn(discard(body));
        }
        return Err(Refusal::TooLarge);
    }
    match timeout(TIMEOUT, Limited::new(&mut body, LIMIT).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            tokio::spawn(discard(body));
            Err(Refusal::TooLarge)
        }
        Ok(Err(_)) => Err(Refusal::Broken),
        Err(_) => Err(Refusal::Slow),
    }
}

/// Reads the rest of a body for a while and drops it. If the server closed the connection while the
/// client still sends, the connection would be reset and the client might not see the response.
async fn discard(mut body: impl Body<Data = Bytes> + Unpin) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _timed_out = timeout(DRAIN_TIME, rest).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use std::convert::Infallible;

    fn endless() -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin {
        let chunk = Bytes::from(vec![0; 64 * 1024]);
        StreamBody::new(futures_util::stream::repeat_with(move || {
            Ok(Frame::data(chunk.clone()))
        }))
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read() {
        let body = Bytes::from(vec![7; LIMIT]);
        let read = read(&HeaderMap::new(), Full::new(body.clone())).await;
        assert_eq!(read, Ok(body));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_with_or_without_a_declared_length() {
        let declared = Full::new(Bytes::from(vec![7; LIMIT + 1]));
        assert_eq!(
            read(&HeaderMap::new(), declared).await,
            Err(Refusal::TooLarge)
        );
        assert_eq!(
            read(&HeaderMap::new(), endless()).await,
            Err(Refusal::TooLarge)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_refused() {
        let silent = StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, Infallible>,
        >());
        assert_eq!(read(&HeaderMap::new(), silent).await, Err(Refusal::Slow));
    }
}
