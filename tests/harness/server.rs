//! The built server in a temporary folder of its own. It ends with the test, and so does all that it started.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::http::{Address, Request, Response};
use super::processes::{self, Memory};
use super::{DEADLINE, Gate, wait_for};

/// How a server is to be started.
pub struct Builder {
    folder: TempDir,
    jobs: String,
    server_lines: String,
    args: Option<Vec<String>>,
    more_args: Vec<String>,
    env: Vec<(String, Option<String>)>,
    wrapper: Vec<String>,
}

impl Builder {
    /// A line more in `[server]`.
    pub fn server(mut self, line: &str) -> Self {
        self.server_lines += line;
        self.server_lines.push('\n');
        self
    }

    /// These arguments in place of `serve --config jobs.toml --listen 127.0.0.1:0`.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args = Some(args.iter().map(|&arg| arg.to_owned()).collect());
        self
    }

    /// An argument more.
    pub fn arg(mut self, arg: &str) -> Self {
        self.more_args.push(arg.to_owned());
        self
    }

    /// A variable of the server's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// A variable that the server does not get.
    pub fn without_env(mut self, name: &str) -> Self {
        self.env.push((name.to_owned(), None));
        self
    }

    /// A command that executes its arguments in the end, and is put before the server's.
    pub fn wrapper(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(|&arg| arg.to_owned()).collect();
        self
    }

    /// A file in the folder of `jobs.toml`.
    pub fn file(self, name: &str, content: &str, mode: u32) -> Self {
        let path = self.path(name);
        fs::write(&path, content).expect("an own folder can be written to");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("an own file's mode can be set");
        self
    }

    /// A path in the folder of `jobs.toml`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes `jobs.toml`, starts the server and waits until it listens.
    pub fn start(self) -> Server {
        let config = format!("[server]\nstate_dir = \"state\"\n{}\n{}", self.server_lines, self.jobs);
        fs::write(self.path("jobs.toml"), config).expect("an own folder can be written to");
        let running = Running::start(&self);
        Server { how: self, running: Some(running) }
    }
}

/// A started server process.
struct Running {
    child: Child,
    stdout: Mutex<Receiver<String>>,
    announced: String,
    addresses: Vec<Address>,
}

impl Running {
    fn start(how: &Builder) -> Self {
        let mut child = command(how).spawn().expect("the built program starts");
        let out = BufReader::new(child.stdout.take().expect("it was piped"));
        let (tell, stdout) = mpsc::channel();
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        match stdout.recv_timeout(DEADLINE) {
            Ok(announced) => Running { child, stdout: Mutex::new(stdout), addresses: addresses(&announced), announced },
            Err(error) => {
                let _ = child.kill();
                let status = child.wait();
                panic!("the server did not start ({error}, {status:?}):\n{}", log(how))
            }
        }
    }

    fn wait(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status.code();
            }
            assert!(start.elapsed() < DEADLINE, "the server did not end");
            thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

fn command(how: &Builder) -> Command {
    let program = env!("CARGO_BIN_EXE_joblines").to_owned();
    let usual = ["serve", "--config", "jobs.toml", "--listen", "127.0.0.1:0"].map(str::to_owned).to_vec();
    let mut line = how.wrapper.clone();
    line.push(program);
    line.extend(how.args.clone().unwrap_or(usual));
    line.extend(how.more_args.clone());
    let stderr = OpenOptions::new().create(true).append(true).open(how.path("server.log"));
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).current_dir(how.folder.path()).env("JOBLINES_TEST_FOLDER", how.folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr.expect("an own file can be opened"));
    for (name, value) in &how.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

fn log(how: &Builder) -> String {
    fs::read_to_string(how.path("server.log")).unwrap_or_default()
}

/// The addresses in `joblines: listening on http://127.0.0.1:8080`.
fn addresses(announced: &str) -> Vec<Address> {
    let words = announced.split([' ', ',']).filter_map(|word| {
        if let Some(path) = word.strip_prefix("unix:") {
            return Some(Address::Unix(PathBuf::from(path)));
        }
        let host = word.strip_prefix("http://")?.split('/').next()?;
        host.parse().ok().map(Address::Tcp)
    });
    words.collect()
}

/// A server that was started, and may have been stopped.
pub struct Server {
    how: Builder,
    running: Option<Running>,
}

impl Server {
    /// What is to be started; `jobs` is `jobs.toml` without its `[server]`.
    pub fn with(jobs: &str) -> Builder {
        Builder {
            folder: tempfile::Builder::new()
                .prefix("joblines-test-")
                .tempdir()
                .expect("a temporary folder can be made"),
            jobs: jobs.to_owned(),
            server_lines: String::new(),
            args: None,
            more_args: Vec::new(),
            env: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// A server with these jobs.
    pub fn start(jobs: &str) -> Self {
        Self::with(jobs).start()
    }

    /// A server with one job, `job`, that is this shell command.
    pub fn with_job(command: &str) -> Self {
        Self::start(&format!("[jobs.job]\ncommand = '''{command}'''\n"))
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server is running")
    }

    /// The line on stdout.
    pub fn announced(&self) -> &str {
        &self.running().announced
    }

    /// Where it listens, in the order it says so.
    pub fn addresses(&self) -> &[Address] {
        &self.running().addresses
    }

    /// Where it listens first.
    pub fn address(&self) -> &Address {
        self.addresses().first().unwrap_or_else(|| panic!("no address in {:?}", self.announced()))
    }

    /// `http://` and the address.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address().host())
    }

    /// A path in the folder of `jobs.toml`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.how.path(name)
    }

    /// A gate in the folder of `jobs.toml`, where jobs run.
    pub fn gate(&self, name: &str) -> Gate {
        Gate::new(&self.path(name))
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        log(&self.how)
    }

    pub fn pid(&self) -> u32 {
        self.running().child.id()
    }

    pub fn memory(&self) -> Memory {
        processes::memory(self.pid())
    }

    /// How many bytes its memory grew by, at the most, while `work` was done.
    pub fn growth_during(&self, work: impl FnOnce()) -> u64 {
        processes::reset_peak(self.pid());
        let before = self.memory().now;
        work();
        self.memory().peak.saturating_sub(before)
    }

    pub fn signal(&self, signal: Signal) {
        processes::send(self.pid(), signal);
    }

    /// Waits until it has ended: its exit code, and what it said on stdout after its first line.
    pub fn wait(&mut self) -> (Option<i32>, Vec<String>) {
        let mut running = self.running.take().expect("the server is running");
        let code = running.wait();
        (code, running.stdout.into_inner().expect("no test panics with it").iter().collect())
    }

    /// SIGTERM, and its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.wait().0
    }

    /// SIGKILL, as by `kill -9`.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    /// Starts it again on the same folder.
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "it has to be stopped first");
        self.running = Some(Running::start(&self.how));
    }

    pub fn request(&self, method: &str, target: &str) -> Request {
        self.address().request(method, target)
    }

    /// GET, as curl sends it.
    pub fn get(&self, target: &str) -> Response {
        self.request("GET", target).send()
    }

    /// POST without a body, as curl sends it.
    pub fn post(&self, target: &str) -> Response {
        self.request("POST", target).send()
    }

    /// GET, as a browser's address bar sends it.
    pub fn visit(&self, target: &str) -> Response {
        self.navigation("GET", target).header("Sec-Fetch-Site", "none").send()
    }

    /// A browser's navigation that does not say yet which site it comes from.
    pub fn navigation(&self, method: &str, target: &str) -> Request {
        let request =
            self.request(method, target).accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
        request.header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document")
    }

    /// GET of a record.
    pub fn json(&self, target: &str) -> Value {
        self.request("GET", target).accept("application/json").send().expect(200).json()
    }

    /// GET of a stream, to its end.
    pub fn ndjson(&self, target: &str) -> Vec<Value> {
        self.request("GET", target).accept("application/x-ndjson").send().expect(200).ndjson()
    }

    /// The record of a run, once it has ended (with whatever status).
    pub fn ended(&self, run: &str) -> Value {
        let record = self.request("GET", &format!("/runs/{run}?wait")).accept("application/json").send().json();
        assert!(!matches!(record["state"].as_str(), Some("queued" | "running")), "not ended: {record}");
        record
    }

    /// Starts a run of `job` that nobody watches, and tells its id.
    pub fn detach(&self, job: &str) -> String {
        self.post(&format!("/jobs/{job}?detach")).expect(202).run()
    }

    /// The history of `job`, newest first.
    pub fn runs(&self, job: &str) -> Vec<Value> {
        let page = self.json(&format!("/runs?job={job}"));
        page["runs"].as_array().unwrap_or_else(|| panic!("no runs in {page}")).clone()
    }

    /// Waits until a run is in `state`.
    pub fn wait_for_state(&self, run: &str, state: &str) {
        wait_for(&format!("run {run} to be {state}"), || self.json(&format!("/runs/{run}"))["state"] == state);
    }

    /// Every file and folder of the state directory.
    pub fn state_files(&self) -> Vec<PathBuf> {
        files_beneath(&self.path("state"))
    }

    /// The files of a run's journal whose names begin with `name`, in order.
    pub fn journal_files(&self, run: &str, name: &str) -> Vec<PathBuf> {
        let mut found = self.state_files();
        found.retain(|path| {
            let file = path.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
            path.is_file() && file.starts_with(&format!("{run}.{name}"))
        });
        found.sort();
        assert!(!found.is_empty(), "no {name} of run {run} among {:?}", self.state_files());
        found
    }
}

/// Everything beneath a folder, and the folder.
pub fn files_beneath(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_beneath(&path));
        } else {
            found.push(path);
        }
    }
    found
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = &mut self.running {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        processes::end_all_around(self.how.folder.path());
        if thread::panicking() {
            eprintln!("--- the server's log\n{}---", self.log());
        }
    }
}
