//! The page at `/`, what belongs to every page, and a server below another path.

use crate::OUTCOMES;
use crate::harness::{Server, html};

#[test]
fn the_front_page_lists_the_jobs_with_their_last_run() {
    let jobs = format!("{OUTCOMES}\n[jobs.described]\ncommand = 'true'\ndescription = 'Counts <sheep> & more'\n");
    let server = Server::start(&jobs);
    let run = server.get("/jobs/bad?wait").run();
    let page = server.visit("/").expect(200).text();
    html::assert_whole(&page);
    for job in ["good", "bad", "slow", "waits", "described"] {
        assert!(page.contains(&format!("/jobs/{job}")), "no link to {job}: {page}");
    }
    assert!(html::shows(&page, "Counts <sheep> & more"), "{page}");
    assert!(page.contains(&format!("/runs/{run}")) && page.contains("failed"), "{page}");
    assert!(page.contains("name=\"viewport\"") || page.contains("name=viewport"), "{page}");
    assert_eq!(server.json("/runs")["runs"].as_array().unwrap().len(), 1, "and it starts nothing");
}

#[test]
fn the_front_page_is_readable_in_a_terminal_and_by_programs() {
    let server = Server::start(OUTCOMES);
    server.get("/jobs/bad?wait");
    let text = server.get("/").expect(200).text();
    assert!(text.contains("good") && text.contains("bad") && !text.contains('<'), "{text}");
    let json = server.json("/").to_string();
    assert!(json.contains("\"good\"") && json.contains("\"failed\""), "{json}");
}

#[test]
fn jobs_stand_under_their_groups_and_only_those_with_the_words_are_shown() {
    let jobs = "[jobs.late]\ncommand = 'true'\ngroup = 'Night'\n[jobs.alone]\ncommand = 'true'\n\
                [jobs.early]\ncommand = 'true'\ngroup = 'Morning'\ndescription = 'Wakes <everybody>'\n\
                [jobs.later]\ncommand = 'true'\ngroup = 'Night'\n";
    let server = Server::start(jobs);
    let order = |page: &str, names: &[&str]| {
        let places: Vec<_> = names.iter().map(|name| page.find(name).unwrap_or_else(|| panic!("{name}"))).collect();
        assert!(places.is_sorted(), "{names:?} in {page}");
    };
    let page = server.visit("/").expect(200).text();
    order(&page, &[">alone</a>", ">Night</h2>", ">late</a>", ">later</a>", ">Morning</h2>", ">early</a>"]);
    server.get("/jobs/late?wait").expect(200);
    let page = server.visit("/?filter=wakes+MORNING").expect(200).text();
    html::assert_whole(&page);
    assert!(page.contains(">early</a>") && page.contains("1 of 4 jobs"), "{page}");
    assert!(!page.contains("late") && !page.contains(">alone</a>"), "neither the others nor their runs: {page}");
    assert_eq!(server.get("/?filter=early").text().lines().count(), 1);
    assert_eq!(server.json("/?filter=night")["jobs"].as_array().unwrap().len(), 2);
}

#[test]
fn what_runs_is_cancelled_from_the_front_page() {
    let server = Server::with("[jobs.job]\ncommand = 'sleep 1000'\n").server("max_running = 1").start();
    let (running, waiting) = (server.detach("job"), server.detach("job"));
    server.wait_for_state(&waiting, "queued");
    let page = server.visit("/").expect(200).text();
    let (on, next) = (page.find(&format!("/runs/{running}/cancel")), page.find(&format!("/runs/{waiting}/cancel")));
    assert!(on.is_some() && on < next, "what runs, then what waits: {page}");
    assert!(page.contains("queued, next"), "{page}");
    server.navigation("POST", &format!("/runs/{waiting}/cancel")).header("Sec-Fetch-Site", "same-origin").send();
    server.wait_for_state(&waiting, "cancelled");
}

#[test]
fn everything_that_a_page_refers_to_is_there() {
    let server = Server::start(OUTCOMES);
    let run = server.get("/jobs/bad?wait").run();
    for target in ["/".to_owned(), "/runs".to_owned(), format!("/runs/{run}"), "/nowhere".to_owned()] {
        let page = server.visit(&target).text();
        let references = page.split(['"', '\'']).filter(|word| word.starts_with('/') && !word.starts_with("//"));
        for reference in references.filter(|word| !word.starts_with("/jobs/")) {
            // the script is told of all icons by the address of one
            let response = server.visit(&reference.replace("&amp;", "&").replace("icon-STATE", "icon-failed"));
            let is_it = reference == target || reference.ends_with("/cancel");
            assert!(is_it || response.status == 200, "{reference} on {target}: {response:?}");
        }
        let styles =
            page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).find(|href| href.contains(".css"));
        let style = server.get(styles.unwrap_or_else(|| panic!("no style sheet on {target}"))).expect(200);
        assert!(style.header("content-type").unwrap().starts_with("text/css"), "{style:?}");
    }
}

#[test]
fn below_another_path_every_url_has_it() {
    let server = Server::with(OUTCOMES).server("base_path = '/joblines'").start();
    let started = server.get("/joblines/jobs/bad").expect(200);
    let run = started.run();
    assert_eq!(started.header("content-location"), Some(format!("/joblines/runs/{run}").as_str()));
    assert_eq!(started.text(), "out\n");
    assert_eq!(server.get(&format!("/joblines/runs/{run}")).text(), "out\n");
    let detached = server.post("/joblines/jobs/bad?detach").expect(202);
    assert_eq!(detached.header("location"), Some(format!("/joblines/runs/{}", detached.run()).as_str()));
    let front = server.visit("/joblines/").expect(200).text();
    assert!(front.contains("\"/joblines/jobs/bad") && !front.contains("\"/jobs/bad"), "{front}");
    let page = server.visit(&format!("/joblines/runs/{run}")).text();
    let style =
        page.split("href=\"").skip(1).find_map(|rest| rest.split('"').next().filter(|href| href.contains(".css")));
    assert!(style.is_some_and(|style| style.starts_with("/joblines/")), "{page}");
    assert_eq!(server.get("/jobs/bad").status, 404);
}

#[test]
fn below_another_path_the_job_knows_its_url() {
    let job = "[jobs.job]\ncommand = 'echo $JOBLINES_URL'\n";
    let server = Server::with(job).server("base_path = '/joblines'").start();
    let response = server.get("/joblines/jobs/job").expect(200);
    let wanted = format!("/joblines/runs/{}\n", response.run());
    assert!(response.text().ends_with(&wanted));
}
