//! Commands that cannot be started: a failed run that says why, with the argument and the path.

use crate::harness::{Server, html};

const JOBS: &str = "
[jobs.missing]
command = ['no-such-program-4711', 'x']
[jobs.gone]
command = ['./gone.sh']
[jobs.plain]
command = ['./plain.txt']
[jobs.nowhere]
command = ['echo', 'x']
cwd = '/no/such/folder'
[jobs.broken]
command = ['./broken.sh']
";

/// Each job, and what has to be named.
const NAMED: [(&str, &str); 5] = [
    ("missing", "no-such-program-4711"),
    ("gone", "gone.sh"),
    ("plain", "plain.txt"),
    ("nowhere", "/no/such/folder"),
    ("broken", "broken.sh"),
];

fn start() -> Server {
    let builder = Server::with(JOBS).file("plain.txt", "not a program\n", 0o600);
    builder.file("broken.sh", "#!/no/such/interpreter\n", 0o700).start()
}

#[test]
fn as_text_it_is_500_and_one_line() {
    let server = start();
    for (job, named) in NAMED {
        let response = server.get(&format!("/jobs/{job}"));
        assert_eq!(response.status, 500, "{job}");
        let text = response.text();
        assert_eq!(text.lines().count(), 1, "{job}: {text}");
        assert!(text.contains(named) && text.ends_with('\n'), "{job}: {text}");
        assert_eq!(server.runs(job)[0]["state"], "failed");
    }
}

#[test]
fn as_a_page_it_has_its_reason_and_its_footer() {
    let server = start();
    for (job, named) in NAMED {
        let page = server.visit(&format!("/jobs/{job}")).text();
        html::assert_whole(&page);
        assert!(html::text_of(&page, "lines").contains(named), "{job}: {page}");
        assert!(html::classes_around(&page, named).iter().any(|class| class == "system"), "{job}: {page}");
        assert_eq!(html::attribute_of(&page, "end", "class").as_deref(), Some("failed"));
        assert!(html::text_of(&page, "end").trim().starts_with("finished"));
    }
}

#[test]
fn as_objects_it_is_a_system_line_and_the_end() {
    let server = start();
    for (job, named) in NAMED {
        let objects = server.ndjson(&format!("/jobs/{job}"));
        assert_eq!(objects.len(), 3, "{job}: {objects:?}");
        assert_eq!(objects[1]["stream"], "system");
        assert!(objects[1]["text"].as_str().unwrap().contains(named), "{job}: {objects:?}");
        assert_eq!(objects[2]["state"], "failed");
        assert!(objects[2]["exit_code"].is_null() && objects[2]["signal"].is_null());
        let events = server.get(&format!("/jobs/{job}?format=sse")).text();
        assert!(events.contains(named) && events.contains("event: end"), "{job}: {events}");
    }
}

#[test]
fn it_is_in_the_history_as_failed() {
    let server = start();
    server.get("/jobs/missing").text();
    server.detach("missing");
    crate::harness::wait_for("both runs to be failed", || {
        let runs = server.runs("missing");
        runs.len() == 2 && runs.iter().all(|run| run["state"] == "failed")
    });
}
