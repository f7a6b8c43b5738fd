//! The product as an operator starts it: the real binary, as a process.

use crate::dynamodb_local::Namespace;
use crate::{Table, building};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

/// The longest that a start or a stop may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The command that verifies the audit.
const VERIFIER: &str = "verify-audit";

/// The cargo profile for measurements: fully optimised, and shares compiled crates with the benchmark.
const PROFILE: [&str; 2] = ["--profile", "bench"];

const READY: &str = "Edge CRM is ready on ";

/// A temporary directory, which is removed on drop.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new, empty directory.
    #[must_use]
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("edge-crm-tests-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&path).expect("a temporary directory");
        Self(path)
    }

    /// The directory's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _leftovers_are_harmless = std::fs::remove_dir_all(&self.0);
    }
}

/// How to start the product. By default: on a free port, with its data in memory, without rate limits;
/// pages may be cached at once, and purged at any price.
#[derive(Debug, Default)]
pub struct Launch {
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    port: u16,
    binary: Option<PathBuf>,
    data: Option<PathBuf>,
    scratch: Option<Scratch>,
    namespace: Option<Namespace>,
}

impl Launch {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        let variables = [
            ("RATE_LIMIT_PER_USER", "0"),
            ("RATE_LIMIT_PER_IP", "0"),
            ("QUIET_TIME", "0"),
            ("PURGE_BUDGET", "1000000"),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        Self {
            variables: variables.into(),
            ..Self::default()
        }
    }

    /// With this limit of requests per minute and user.
    #[must_use]
    pub fn per_user(mut self, limit: u64) -> Self {
        self.variables
            .push(("RATE_LIMIT_PER_USER", limit.to_string()));
        self
    }

    /// With this limit of requests per minute and IP address.
    #[must_use]
    pub fn per_ip(mut self, limit: u64) -> Self {
        self.variables
            .push(("RATE_LIMIT_PER_IP", limit.to_string()));
        self
    }

    /// On this port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// As the binary at this path, such as that of an earlier commit.
    #[must_use]
    pub fn binary(mut self, path: &Path) -> Self {
        self.binary = Some(path.to_owned());
        self
    }

    /// With its data and signing key in this directory.
    #[must_use]
    pub fn data(mut self, directory: &Path) -> Self {
        self.data = Some(directory.to_owned());
        self
    }

    /// With its data in `table`. Its signing key is in a temporary directory.
    #[must_use]
    pub fn table(self, table: &Table) -> Self {
        self.stored_at(table.url())
    }

    /// The same, with the table at this URL.
    #[must_use]
    pub fn table_at(self, url: &str) -> Self {
        self.stored_at(url)
    }

    fn stored_at(mut self, url: &str) -> Self {
        let scratch = self.scratch.get_or_insert_default();
        self.data = Some(scratch.path().to_owned());
        self.argument("--dynamodb-url").argument(url)
    }

    /// With one more argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the product and waits until it takes requests.
    #[must_use]
    pub fn start(self) -> Product {
        self.try_start()
            .unwrap_or_else(|ended| panic!("the product did not start: {ended:?}"))
    }

    /// Starts the product and waits until it takes requests or ends.
    ///
    /// # Errors
    /// If it ends: how.
    pub fn try_start(mut self) -> Result<Product, Ended> {
        let binary = self.binary.clone().unwrap_or_else(|| {
            build();
            binary()
        });
        if self.data.is_none()
            && let Some(namespace) = Namespace::new()
        {
            self = self.stored_at(namespace.url());
            self.namespace = Some(namespace);
        }
        let storage = match &self.data {
            Some(directory) => vec!["--data".to_owned(), directory.display().to_string()],
            None => vec!["--memory".to_owned()],
        };
        let mut child = Command::new(binary)
            .args(["--port", &self.port.to_string()])
            .args(storage)
            .args(&self.arguments)
            .envs(self.variables)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the product's binary");
        let (log, _) = follow(child.stderr.take().expect("piped"));
        let (output, lines) = follow(child.stdout.take().expect("piped"));
        let url = lines
            .recv_timeout(PATIENCE)
            .ok()
            .and_then(|line| Some(line.strip_prefix(READY)?.to_owned()));
        let product = Product {
            url: url.unwrap_or_default(),
            child,
            log,
            output,
            data: self.data,
            scratch: self.scratch,
            _namespace: self.namespace,
        };
        if product.url.is_empty() {
            Err(product.wait())
        } else {
            Ok(product)
        }
    }
}

/// Runs the command that verifies the audit, as an operator does. Returns its exit code and its
/// output.
///
/// # Panics
/// If the command's binary does not exist.
#[must_use]
pub fn verify_audit(arguments: &[&str]) -> (Option<i32>, String) {
    build();
    let output = Command::new(binary().with_file_name(VERIFIER))
        .args(arguments)
        .output()
        .expect("the command's binary");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// The lines that a process has written so far.
type Lines = Arc<Mutex<Vec<String>>>;

/// Reads lines until the stream ends, on a thread of its own, so that the process never waits for a
/// reader.
fn follow(stream: impl std::io::Read + Send + 'static) -> (Lines, Receiver<String>) {
    let lines = Lines::default();
    let (sender, receiver) = channel();
    let kept = Arc::clone(&lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line.clone());
            let _nobody_waits = sender.send(line);
        }
    });
    (lines, receiver)
}

fn read(lines: &Lines) -> Vec<String> {
    lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The product's binary: next to this program, or next to the directory of this test, as cargo puts
/// it. `EDGE_CRM_BIN` overrides this, to test another build such as an optimised one.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("EDGE_CRM_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("this test's own path");
    let directory = test.parent().expect("target/{profile}, or its deps");
    let profile = match directory.ends_with("deps") {
        true => directory.parent().expect("target/{profile}"),
        false => directory,
    };
    profile.join("edge-crm")
}

/// Builds the product once per process, so that the tests run the current sources.
fn build() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        if std::env::var_os("EDGE_CRM_BIN").is_some() {
            return;
        }
        let measured = binary()
            .parent()
            .is_some_and(|directory| directory.ends_with("release"));
        let profile: &[&str] = if measured { &PROFILE } else { &[] };
        building::build(&[&["--bin", "edge-crm", "--bin", VERIFIER], profile].concat());
    });
}

/// How a process ended, and its output.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub output: Vec<String>,
    /// Its standard error.
    pub log: Vec<String>,
}

/// The running product, which is killed on drop.
#[derive(Debug)]
pub struct Product {
    /// The URL at which it listens: `http://127.0.0.1:{port}`.
    pub url: String,
    child: Child,
    log: Lines,
    output: Lines,
    data: Option<PathBuf>,
    scratch: Option<Scratch>,
    _namespace: Option<Namespace>,
}

impl Product {
    /// Starts the product with the defaults.
    #[must_use]
    pub fn start() -> Self {
        Launch::new().start()
    }

    /// The process's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The log so far, one line per request.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        read(&self.log)
    }

    /// Whether it logs a line with this text. Waits for the line, which may arrive here after the
    /// response.
    #[must_use]
    pub fn logs(&self, text: &str) -> bool {
        let late = Instant::now() + PATIENCE;
        loop {
            if self.log().iter().any(|line| line.contains(text)) {
                return true;
            }
            if Instant::now() > late {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The standard output so far.
    #[must_use]
    pub fn output(&self) -> Vec<String> {
        read(&self.output)
    }

    /// The address at which it listens: `127.0.0.1:{port}`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The keys that sign sessions. The product must have a data directory.
    #[must_use]
    pub fn keys(&self) -> auth::Keys {
        let directory = self.data.as_ref().expect("a data directory");
        let key = std::fs::read(directory.join("signing-key")).expect("the signing key");
        let text = BASE64_URL_SAFE_NO_PAD.encode(key);
        auth::Keys::new(text.as_bytes(), None).expect("a strong key")
    }

    /// Kills it, as a crash of the machine does.
    pub fn kill(mut self) {
        self.end();
    }

    /// Sends SIGTERM and waits until the process has ended.
    #[must_use]
    pub fn stop(self) -> Ended {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("kill");
        assert!(sent.success());
        self.wait()
    }

    fn wait(mut self) -> Ended {
        let late = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("the process") {
                Some(status) => break status,
                None if Instant::now() > late => {
                    panic!("the product does not end: {:?}", self.log())
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        // The threads that read its output may not have read the last lines yet.
        std::thread::sleep(Duration::from_millis(50));
        Ended {
            status,
            output: self.output(),
            log: self.log(),
        }
    }

    fn end(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        self.end();
        drop(self.scratch.take());
    }
}
