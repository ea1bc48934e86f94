//! What a command is given: variables, folder.

use std::collections::BTreeMap;
use std::fs;

use crate::harness::{Response, Server};
use crate::server_with;

/// The variables that `env` printed.
fn variables(response: Response) -> BTreeMap<String, String> {
    let text = response.expect(200).text();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn the_run_is_in_the_environment() {
    let server = server_with("command = ['env']");
    let response = server.get("/jobs/job");
    let run = response.run();
    let variables = variables(response);
    assert_eq!(variables["JOBLINES_JOB"], "job");
    assert_eq!(variables["JOBLINES_RUN"], run);
    assert!(variables["JOBLINES_URL"].ends_with(&format!("/runs/{run}")), "{}", variables["JOBLINES_URL"]);
    assert_eq!(variables["PYTHONUNBUFFERED"], "1");
}

#[test]
fn the_url_in_the_environment_shows_the_run() {
    let server = server_with("command = 'echo $JOBLINES_URL'");
    let response = server.get("/jobs/job");
    let run = response.run();
    assert_eq!(response.text(), format!("{}\n", server.url(&format!("/runs/{run}"))));
}

#[test]
fn env_adds_and_wins() {
    let job = "[jobs.job]\ncommand = ['env']\nenv = { A = 'of the job', PYTHONUNBUFFERED = '', EMPTY = '' }\n";
    let server = Server::with(job).env("A", "of the server").env("B", "of the server").start();
    let variables = variables(server.get("/jobs/job"));
    assert_eq!((variables["A"].as_str(), variables["B"].as_str()), ("of the job", "of the server"));
    assert_eq!((variables["PYTHONUNBUFFERED"].as_str(), variables["EMPTY"].as_str()), ("", ""));
}

#[test]
fn env_file_is_read_and_env_wins_over_it() {
    let job = "[jobs.job]\ncommand = ['env']\nenv_file = 'job.env'\nenv = { B = 'env' }\n";
    let file = "# a comment\n\nA=plain value\nB=file\nC=\"double # quoted\"\nD='single'\nE=\nF=a=b\n";
    let server = Server::with(job).file("job.env", file, 0o600).start();
    let variables = variables(server.get("/jobs/job"));
    for (name, value) in
        [("A", "plain value"), ("B", "env"), ("C", "double # quoted"), ("D", "single"), ("E", ""), ("F", "a=b")]
    {
        assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[test]
fn inherit_env_false_gives_path_and_what_the_job_says() {
    let job = "[jobs.job]\ncommand = ['env']\nenv = { A = 'a' }\ninherit_env = false\n";
    let server = Server::with(job).env("SECRET_OF_THE_SERVER", "x").start();
    let names: Vec<String> = variables(server.get("/jobs/job")).into_keys().collect();
    assert_eq!(names, ["A", "JOBLINES_JOB", "JOBLINES_RUN", "JOBLINES_URL", "PATH", "PYTHONUNBUFFERED"]);
}

#[test]
fn inherit_env_may_list_what_is_passed_on() {
    let job = "[jobs.job]\ncommand = ['env']\ninherit_env = ['B', 'NOT_SET']\n";
    let server = Server::with(job).env("A", "a").env("B", "b").start();
    let names: Vec<String> = variables(server.get("/jobs/job")).into_keys().collect();
    assert_eq!(names, ["B", "JOBLINES_JOB", "JOBLINES_RUN", "JOBLINES_URL", "PATH", "PYTHONUNBUFFERED"]);
}

#[test]
fn a_command_without_path_is_found_all_the_same() {
    let job = "[jobs.job]\ncommand = ['env']\ninherit_env = false\n";
    let server = Server::with(job).without_env("PATH").start();
    assert!(variables(server.get("/jobs/job"))["PATH"].contains("/usr/bin"));
}

#[test]
fn a_command_runs_in_the_folder_of_the_configuration_or_in_its_cwd() {
    let jobs = "[jobs.here]\ncommand = ['pwd', '-P']\n[jobs.below]\ncommand = ['pwd', '-P']\ncwd = 'below'\n\
                [jobs.root]\ncommand = ['pwd', '-P']\ncwd = '/'\n";
    let builder = Server::with(jobs);
    fs::create_dir(builder.path("below")).unwrap();
    let server = builder.start();
    let here = fs::canonicalize(server.path(".")).unwrap();
    assert_eq!(server.get("/jobs/here").text(), format!("{}\n", here.display()));
    assert_eq!(server.get("/jobs/below").text(), format!("{}/below\n", here.display()));
    assert_eq!(server.get("/jobs/root").text(), "/\n");
}

#[test]
fn a_list_is_executed_as_it_is_and_a_string_goes_to_the_shell() {
    let list = server_with("command = ['printf', '%s|', 'a b', '$HOME', '', '*', '; echo x']");
    assert_eq!(list.get("/jobs/job").text(), "a b|$HOME||*|; echo x|");
    let shell = server_with("command = 'echo one | tr o 0; echo $((1 + 1))'");
    assert_eq!(shell.get("/jobs/job").text(), "0ne\n2\n");
}

#[test]
fn a_program_beside_the_configuration_is_found_by_its_relative_path() {
    let job = "[jobs.job]\ncommand = ['./tool.sh', 'x']\n";
    let server = Server::with(job).file("tool.sh", "#!/bin/sh\necho \"tool $1\"\n", 0o700).start();
    assert_eq!(server.get("/jobs/job").text(), "tool x\n");
}
