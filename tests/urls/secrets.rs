//! A secret is in nothing that anybody sees or keeps: no format, no record, no log, no file.

use std::fs;

use crate::harness::Server;

const SECRET: &str = "hunter2-and-more";

/// A job that prints its secret in every way it can, also in two writes with a pause between them that the test makes.
const JOBS: &str = r#"
[jobs.leaks]
command = '''
printf 'whole: %s\n' "$PARAM_KEY"
printf 'stderr: %s\n' "$PARAM_KEY" >&2
printf 'split: %.7s' "$PARAM_KEY"; echo ready >&2; read _ < gate; printf '%s\n' "${PARAM_KEY#hunter2}"
env | grep PARAM_
printf '%s%s%s' "$PARAM_KEY" "$PARAM_KEY" "$PARAM_KEY"
'''
params.key = { type = "secret" }
params.name = { default = "visible" }

[jobs.argument]
command = ["echo", "--key={key}"]
params.key = { type = "secret" }
"#;

fn assert_unseen(what: &str, text: &str) {
    assert!(!text.contains(SECRET) && !text.contains("and-more"), "{what}: {text}");
}

#[test]
fn a_secret_is_masked_in_every_format_and_in_every_file() {
    let server = Server::start(JOBS);
    let gate = server.gate("gate");
    for format in ["text", "html", "ndjson", "sse"] {
        let target = format!("/jobs/leaks?format={format}");
        let form = format!("key={SECRET}");
        let request = server.request("POST", &target).body("application/x-www-form-urlencoded", form);
        let mut response = request.send().expect(200);
        let run = response.run();
        let mut text = response.until("ready");
        gate.pass();
        text += &String::from_utf8(response.rest()).unwrap();
        assert_unseen(format, &text);
        assert!(text.matches("••••").count() >= 7 && text.contains("visible"), "{format}: {text}");
        server.ended(&run);
        for again in ["text", "html", "ndjson", "sse", "json"] {
            assert_unseen(again, &server.get(&format!("/runs/{run}?format={again}")).text());
        }
    }
    let run = server.get(&format!("/jobs/argument?key={SECRET}")).expect(200);
    let id = run.run();
    assert_eq!(run.text(), "--key=••••\n");
    let record = server.ended(&id);
    assert_eq!(record["params"]["key"], "••••");
    for target in ["/", "/runs", "/jobs/leaks/form", "/jobs/leaks/last"] {
        for format in ["html", "text", "json", "ndjson"] {
            assert_unseen(target, &server.get(&format!("{target}?format={format}")).text());
        }
    }
    assert_unseen("log", &server.log());
    for file in server.state_files().iter().filter(|path| path.is_file()) {
        assert_unseen(&file.display().to_string(), &String::from_utf8_lossy(&fs::read(file).unwrap()));
    }
}

#[test]
fn a_secret_is_asked_anew_when_a_run_is_run_again() {
    let server = Server::start(JOBS);
    let run = server.get(&format!("/jobs/argument?key={SECRET}")).run();
    server.ended(&run);
    let page = server.visit(&format!("/runs/{run}")).text();
    assert!(page.contains("href=\"/jobs/argument/form\"") && !page.contains("class=\"again\""), "{page}");
    assert_unseen("page", &page);
}
