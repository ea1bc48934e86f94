//! The lines that a parameter's command offers, and every way in which it can have none.

use joblines::sources::process::lines_of;

use crate::Job;
use crate::harness::{processes, wait_for};

/// The lines of what `sh -c` prints.
async fn lines(text: &str) -> Result<Vec<String>, String> {
    ask(&Job::shell("false"), text).await
}

async fn ask(job: &Job, text: &str) -> Result<Vec<String>, String> {
    lines_of(&job.settings, &["sh".to_owned(), "-c".to_owned(), text.to_owned()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_that_is_not_empty_is_one() {
    assert_eq!(
        lines("printf 'main\\n\\nsome words\\r\\n\\r\\nlast'; echo noise >&2").await.unwrap(),
        ["main", "some words", "last"]
    );
    assert_eq!(lines("true").await.unwrap(), [""; 0]);
    assert_eq!(lines("seq 1 10000").await.unwrap().len(), 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_where_the_job_does_with_its_variables_and_no_input() {
    let job = Job::shell("false").set(|settings| {
        settings.env = vec![("COLOUR".to_owned(), "blue".to_owned())];
        settings.pty = true;
        settings.merge_stderr = true;
    });
    let told = ask(&job, "pwd; echo $COLOUR; cat; test -t 1 || echo no terminal; echo noise >&2").await.unwrap();
    assert_eq!(told, [job.work().to_str().unwrap(), "blue", "no terminal"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_names_the_command_and_its_last_words() {
    let told = lines("echo first >&2; echo 'fatal: no\trepository' >&2; echo >&2; exit 128").await.unwrap_err();
    assert!(told.starts_with("`sh -c echo first"), "{told}");
    assert!(told.ends_with("` exited with code 128: fatal: no\u{fffd}repository"), "{told}");
    let told = lines("kill -9 $$").await.unwrap_err();
    assert!(told.ends_with("` was ended by SIGKILL"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_started_says_why() {
    let told = lines_of(&Job::shell("true").settings, &["no-such-program".to_owned()]).await.unwrap_err();
    assert!(told.starts_with("`no-such-program` did not start: cannot run `no-such-program`"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_much_or_no_text_is_refused() {
    let told = lines("yes 'a long line' ").await.unwrap_err();
    assert!(told.ends_with("` prints more than 1 MiB"), "{told}");
    let told = lines("seq 1 10001").await.unwrap_err();
    assert!(told.ends_with("` prints 10001 lines; 10,000 are allowed"), "{told}");
    let told = lines("printf 'a\\nb\\377\\n'").await.unwrap_err();
    assert!(told.ends_with("` prints what is not UTF-8 (line 2)"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_end_is_killed_with_its_group() {
    let job = Job::shell("false");
    let told = ask(&job, "echo $$ >pid; echo waiting >&2; sleep 1000 | sleep 1000").await.unwrap_err();
    assert!(told.ends_with("` has not ended after 10s, and was killed: waiting"), "{told}");
    let pid = std::fs::read_to_string(job.work().join("pid")).unwrap().trim().parse().unwrap();
    wait_for("the end of its processes", || processes::group(pid).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_leaves_behind_is_killed_and_its_lines_count() {
    let job = Job::shell("false").set(|settings| settings.drain = std::time::Duration::from_millis(50));
    assert_eq!(ask(&job, "echo $$ >pid; echo line; sleep 1000 &").await.unwrap(), ["line"]);
    let pid = std::fs::read_to_string(job.work().join("pid")).unwrap().trim().parse().unwrap();
    wait_for("the end of its processes", || processes::group(pid).is_empty());
}
