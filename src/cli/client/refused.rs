//! What a server said when it refused: the lines that a person is told. It asks for nothing.

use std::fmt;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Response, StatusCode, header};
use serde::Deserialize;
use thiserror::Error;

/// The most of a refusal that is read.
const MAX_REFUSAL: usize = 256 << 10;

/// A refusal: one line, or one for each thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct Refused {
    /// The answer's status code.
    pub status: StatusCode,
    lines: Vec<String>,
}

impl Refused {
    /// Reads the refusal that `response` is: what is wrong with each parameter, else the detail and the remedy of a
    /// problem (RFC 9457), else the first line of a plain text, else the status.
    pub async fn read(response: Response<Incoming>) -> Refused {
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_plain = kind.is_some_and(|kind| kind.starts_with("text/plain"));
        let body = Limited::new(response.into_body(), MAX_REFUSAL).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let mut lines = match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => problem.lines(),
            Err(_) if is_plain => String::from_utf8_lossy(&body).lines().take(1).map(str::to_owned).collect(),
            Err(_) => Vec::new(),
        };
        lines.retain(|line| !line.is_empty());
        if lines.is_empty() {
            lines.push(format!("the server answered {status}"));
        }
        Refused { status, lines }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
    remedy: Option<String>,
    #[serde(default)]
    errors: Vec<Wrong>,
}

/// What is wrong with one parameter.
#[derive(Deserialize)]
struct Wrong {
    problem: String,
    allowed: Option<String>,
}

impl Problem {
    fn lines(self) -> Vec<String> {
        if self.errors.is_empty() {
            return vec![sentence(self.detail, self.remedy)];
        }
        let allowed = |allowed: String| format!("allowed: {allowed}");
        self.errors.into_iter().map(|wrong| sentence(wrong.problem, wrong.allowed.map(allowed))).collect()
    }
}

fn sentence(wrong: String, instead: Option<String>) -> String {
    match instead {
        Some(instead) => format!("{wrong}; {instead}"),
        None => wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(problem: &str) -> Vec<String> {
        serde_json::from_str::<Problem>(problem).unwrap().lines()
    }

    #[test]
    fn a_problem_is_its_detail_and_its_remedy() {
        assert_eq!(lines(r#"{"detail":"no job `x`","remedy":"see /"}"#), ["no job `x`; see /"]);
        assert_eq!(lines(r#"{"detail":"no job `x`","errors":[]}"#), ["no job `x`"]);
    }

    #[test]
    fn every_wrong_parameter_has_its_line() {
        let problem = r#"{"detail":"2 parameters are wrong","errors":[
            {"parameter":"a","problem":"`a` cannot be `9`","allowed":"1 to 8"},{"parameter":"b","problem":"`b` is missing"}]}"#;
        assert_eq!(lines(problem), ["`a` cannot be `9`; allowed: 1 to 8", "`b` is missing"]);
    }
}
