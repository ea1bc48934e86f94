//! A request refused: what was wrong, with which value, and what is allowed, told in the format the client reads. It
//! decides nothing, and it never shows more of a failure inside than its one sentence.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Wanted, Wrong};

/// Why a request gets no other answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The status code: 4xx or 5xx.
    pub status: StatusCode,
    /// What was wrong and with which value: a sentence without its full stop.
    pub detail: String,
    /// What is allowed, or what to do next.
    pub remedy: Option<String>,
    /// Where to go instead: the run in progress, the form.
    pub location: Option<Box<str>>,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// The methods that are allowed, for 405.
    pub allow: Option<&'static str>,
    /// Each parameter that was at fault, for 400.
    pub errors: Box<[Wrong]>,
}

impl Refusal {
    /// Any status with one sentence; the other constructors say it shorter.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Refusal { status, detail, remedy: None, location: None, retry_after: None, allow: None, errors: Box::default() }
    }

    /// 400: these parameters are wrong, at least one.
    pub fn wrong(errors: Vec<Wrong>) -> Self {
        let (detail, remedy) = match &errors[..] {
            [wrong] => (wrong.problem.clone(), Some(format!("allowed: {}", wrong.allowed))),
            several => {
                let each = several.iter().map(|wrong| format!("{} (allowed: {})", wrong.problem, wrong.allowed));
                let each: Vec<_> = each.collect();
                (format!("{} parameters are wrong: {}", several.len(), each.join("; ")), None)
            }
        };
        Refusal { remedy, errors: errors.into(), ..Refusal::bad_request(detail) }
    }

    /// The same, without the values of those parameters that `is_secret` tells.
    pub fn hide(self, is_secret: impl Fn(&str) -> bool) -> Self {
        if !self.errors.iter().any(|wrong| is_secret(&wrong.name)) {
            return self;
        }
        let hide = |wrong: Wrong| if is_secret(&wrong.name) { wrong.hide() } else { wrong };
        Refusal::wrong(self.errors.into_iter().map(hide).collect())
    }

    /// 400: the request makes no sense.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 400: server-sent events of what is there at once.
    pub fn no_stream(what: &str) -> Self {
        Refusal::bad_request(format!("{what} is no stream")).remedy("allowed: html, text, ndjson, json")
    }

    /// 403: it may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::FORBIDDEN, detail)
    }

    /// 404: nothing has this name.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::NOT_FOUND, detail)
    }

    /// 405: `allow` lists what it answers to instead, as in `GET, HEAD`.
    pub fn method_not_allowed(detail: impl Into<String>, allow: &'static str) -> Self {
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, detail).remedy(format!("allowed: {allow}"));
        Refusal { allow: Some(allow), ..refusal }
    }

    /// 409: not in the state it is in now.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::CONFLICT, detail)
    }

    /// 413: a body of more than `limit` bytes.
    pub fn body_too_large(limit: u64) -> Self {
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "the body of the request is too large")
            .remedy(format!("at most {limit} bytes"))
    }

    /// 414: a target of more than `limit` bytes.
    pub fn target_too_long(limit: usize) -> Self {
        Refusal::new(StatusCode::URI_TOO_LONG, "the URL is too long")
            .remedy(format!("at most {limit} bytes; a POST takes parameters in its body"))
    }

    /// 415: a body in a format that is not read here.
    pub fn unsupported_type(given: &str, allowed: &str) -> Self {
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("a body of type `{given}` is not read here"))
            .remedy(format!("allowed: {allowed}"))
    }

    /// 421: a Host that is no name of this server.
    pub fn misdirected(host: &str) -> Self {
        Refusal::new(StatusCode::MISDIRECTED_REQUEST, format!("this server does not answer to the name `{host}`"))
            .remedy("add it to `hosts` in the [server] table of jobs.toml")
    }

    /// 431: headers of more than `limit` bytes.
    pub fn headers_too_large(limit: usize) -> Self {
        Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers of the request are too large")
            .remedy(format!("at most {limit} bytes"))
    }

    /// 500: our own failure; what exactly is for the log.
    pub fn internal(detail: impl Into<String>) -> Self {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }

    /// 503: not now, but after `retry_after` perhaps.
    pub fn unavailable(detail: impl Into<String>, retry_after: Duration) -> Self {
        Refusal { retry_after: Some(retry_after), ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// The same, saying what is allowed or what to do next.
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Refusal { remedy: Some(remedy.into()), ..self }
    }

    /// The same, saying where to go.
    pub fn location(self, location: impl Into<String>) -> Self {
        Refusal { location: Some(location.into().into()), ..self }
    }

    /// The status code in words: "Not Found".
    pub fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    /// Everything as one line for a terminal, without a newline; control characters that a request brought are
    /// replaced.
    pub fn line(&self) -> String {
        let line = match &self.remedy {
            Some(remedy) => format!("{}; {remedy}", self.detail),
            None => self.detail.clone(),
        };
        line.replace(char::is_control, "\u{fffd}")
    }

    /// The answer in the format `wanted`; `page` draws it for browsers.
    pub fn respond(&self, wanted: Wanted, page: impl FnOnce(&Refusal) -> String) -> Response {
        let (content_type, body) = match wanted {
            Wanted::Html => ("text/html; charset=utf-8", page(self)),
            Wanted::Text => ("text/plain; charset=utf-8", self.line() + "\n"),
            Wanted::Ndjson | Wanted::Sse | Wanted::Json => ("application/problem+json", self.problem()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(location) = self.location.as_deref().and_then(|location| HeaderValue::from_str(location).ok()) {
            headers.insert(header::LOCATION, location);
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response
    }

    /// RFC 9457, with `remedy`, `location` and `errors` as further members.
    fn problem(&self) -> String {
        let problem = Problem {
            kind: "about:blank",
            title: self.title(),
            status: self.status.as_u16(),
            detail: &self.detail,
            remedy: self.remedy.as_deref(),
            location: self.location.as_deref(),
            errors: self.errors.iter().map(WrongParameter::from).collect(),
        };
        serde_json::to_string(&problem).unwrap_or_default() + "\n"
    }
}

/// What is wrong with a request, as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WrongParameter<'a>>,
}

/// A parameter that is at fault; null for its value where there is none, or where it is a secret's.
#[derive(Serialize, ToSchema)]
#[schema(as = WrongParameter)]
struct WrongParameter<'a> {
    parameter: &'a str,
    #[schema(required)]
    value: Option<&'a str>,
    problem: &'a str,
    allowed: &'a str,
}

impl<'a> From<&'a Wrong> for WrongParameter<'a> {
    fn from(wrong: &'a Wrong) -> Self {
        WrongParameter {
            parameter: &wrong.name,
            value: wrong.value.as_deref(),
            problem: &wrong.problem,
            allowed: &wrong.allowed,
        }
    }
}

/// What a handler returns: the status, with the refusal itself for whoever knows the format to tell it in.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Wrong> for Refusal {
    fn from(error: Wrong) -> Self {
        Refusal::wrong(vec![error])
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;

    async fn body(response: Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
    }

    fn page(refusal: &Refusal) -> String {
        format!("<p>{}</p>", refusal.detail)
    }

    fn refused() -> Refusal {
        Refusal::conflict("`backup` is running").remedy("wait for it").location("/runs/1")
    }

    #[tokio::test]
    async fn a_terminal_gets_one_plain_line() {
        let response = refused().respond(Wanted::Text, page);
        assert_eq!(response.status(), 409);
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(response.headers()["location"], "/runs/1");
        assert_eq!(body(response).await, "`backup` is running; wait for it\n");
    }

    #[tokio::test]
    async fn a_browser_gets_a_page() {
        let response = refused().respond(Wanted::Html, page);
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(body(response).await, "<p>`backup` is running</p>");
    }

    #[tokio::test]
    async fn a_program_gets_a_problem() {
        for wanted in [Wanted::Json, Wanted::Ndjson, Wanted::Sse] {
            let response = refused().respond(wanted, page);
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let problem: serde_json::Value = serde_json::from_str(&body(response).await).unwrap();
            let expected = json!({
                "type": "about:blank", "title": "Conflict", "status": 409, "detail": "`backup` is running",
                "remedy": "wait for it", "location": "/runs/1",
            });
            assert_eq!(problem, expected);
        }
    }

    #[tokio::test]
    async fn every_wrong_parameter_is_named_with_its_value_and_what_is_allowed() {
        let wrong = || vec![Wrong::value("count", "12", "1 to 9"), Wrong::unknown("targt", "x", &["target"])];
        let text = "2 parameters are wrong: `count` cannot be `12` (allowed: 1 to 9); there is no parameter `targt` \
                    (`x`) here (allowed: target)";
        assert_eq!(Refusal::wrong(wrong()).line(), text);
        let response = Refusal::wrong(wrong()).respond(Wanted::Json, page);
        assert_eq!(response.status(), 400);
        let problem: serde_json::Value = serde_json::from_str(&body(response).await).unwrap();
        assert_eq!(
            problem["errors"],
            json!([
                { "parameter": "count", "value": "12", "problem": "`count` cannot be `12`", "allowed": "1 to 9" },
                { "parameter": "targt", "value": "x", "problem": "there is no parameter `targt` (`x`) here",
                  "allowed": "target" },
            ])
        );
    }

    #[test]
    fn a_secret_is_not_repeated_in_what_is_said_of_it() {
        let refusal = Refusal::wrong(vec![Wrong::repeated("key", "hunter2"), Wrong::value("n", "x", "a number")]);
        let shown = refusal.hide(|name| name == "key");
        assert!(!format!("{shown:?}").contains("hunter2"), "{shown:?}");
        assert!(shown.line().contains("`key` cannot be `••••`") && shown.line().contains("`n` cannot be `x`"));
    }

    #[test]
    fn each_status_brings_its_header() {
        let response = Refusal::method_not_allowed("PUT is not for jobs", "GET, POST").respond(Wanted::Text, page);
        assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (405, &"GET, POST".parse().unwrap()));
        let response = Refusal::unavailable("full", Duration::from_millis(10)).respond(Wanted::Text, page);
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &HeaderValue::from(1)));
        let response = refused().location("/a\r\nb").respond(Wanted::Text, page);
        assert!(!response.headers().contains_key("location"));
    }

    #[test]
    fn what_a_request_brought_cannot_steer_a_terminal() {
        let refusal = Refusal::from(Wrong::value("from", "\x1b[2J\n1", "a whole number from 1"));
        assert_eq!(refusal.status, 400);
        assert_eq!(refusal.line(), "`from` cannot be `\u{fffd}[2J\u{fffd}1`; allowed: a whole number from 1");
    }
}
