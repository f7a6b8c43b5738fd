//! A function as the process that Lambda starts: its real binary, which polls a runtime API for
//! events.

use crate::building;
use crate::inside::KEY;
use crate::runtime_api::{Invocation, RuntimeApi};
use bytes::Bytes;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest that a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A function's environment variables.
pub type Environment = Vec<(&'static str, String)>;

/// The environment that Lambda and the template set, for a function whose table is served at
/// `dynamodb`. CloudFront cannot be reached.
#[must_use]
pub fn environment(function: &str, dynamodb: &str) -> Environment {
    let key = String::from_utf8_lossy(&KEY).into_owned();
    [
        ("AWS_LAMBDA_FUNCTION_NAME", function),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a secret access key for the tests"),
        ("AWS_SESSION_TOKEN", "a session token for the tests only"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("TZ", ":UTC"),
        ("TABLE_NAME", "edge-crm"),
        ("DYNAMODB_URL", dynamodb),
        ("CLOUDFRONT_URL", "http://127.0.0.1:1"),
        ("SESSION_KEY", &key),
        ("ALLOWED_ORIGINS", "https://d111111abcdef8.cloudfront.net"),
        ("RATE_LIMIT_PER_USER", "0"),
        ("RATE_LIMIT_PER_IP", "0"),
        ("REVALIDATION", "inline"),
        ("QUIET_TIME", "0"),
        ("PURGE_BUDGET", "1000000"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// The same environment with another value of one variable, or without that variable.
#[must_use]
pub fn with_variable(
    mut environment: Environment,
    name: &'static str,
    value: Option<&str>,
) -> Environment {
    environment.retain(|(other, _)| *other != name);
    environment.extend(value.map(|value| (name, value.to_owned())));
    environment
}

/// The directory of the functions' binaries. Builds them in the profile of the running test, once
/// per process.
pub fn built() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let test = std::env::current_exe().expect("this test's own path");
        let directory = test.ancestors().nth(2).expect("target/{profile}/deps");
        let release = directory.ends_with("release");
        building::build(if release {
            &["--bins", "--release"]
        } else {
            &["--bins"]
        });
        directory.to_owned()
    })
}

/// A running function, which is killed on drop.
pub struct Bootstrap {
    api: RuntimeApi,
    child: Child,
    logs: Vec<JoinHandle<String>>,
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

impl Bootstrap {
    /// Starts a binary.
    pub async fn start(binary: &Path, environment: Environment) -> Self {
        Self::start_at(RuntimeApi::start().await, binary, environment)
    }

    /// Starts a binary that polls `api` for its events.
    #[must_use]
    pub fn start_at(api: RuntimeApi, binary: &Path, environment: Environment) -> Self {
        let mut child = Command::new(binary)
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", binary.display()));
        let logs = vec![
            follow(child.stdout.take().expect("piped")),
            follow(child.stderr.take().expect("piped")),
        ];
        Self { api, child, logs }
    }

    /// Passes an event to the function and waits for the response.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Invocation {
        tokio::time::timeout(PATIENCE, self.api.invoke(event))
            .await
            .expect("a response in time")
    }

    /// The error with which the function reports that it cannot start.
    pub async fn init_error(&self) -> serde_json::Value {
        tokio::time::timeout(PATIENCE, self.api.init_error())
            .await
            .expect("an error in time")
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM and waits until the process has ended.
    #[must_use]
    pub fn stop(self) -> Ended {
        let sent = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status()
            .expect("kill");
        assert!(sent.success());
        self.wait()
    }

    /// Waits until the process ends by itself.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        let late = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("the process") {
                Some(status) => break status,
                None if Instant::now() > late => panic!("the function does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let logs = self.logs.drain(..).map(|log| log.join().expect("a log"));
        Ended {
            status,
            log: logs.collect(),
        }
    }
}

/// How a function ended, and all of its output.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output, then its standard error.
    pub log: String,
}

/// Reads the stream to its end on a thread of its own, so that the process never waits for a reader.
fn follow(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _killed = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
