//! Chromium, driven over WebDriver (W3C) by its chromedriver.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::Address;
use super::{DEADLINE, cannot, processes, wait_for};

const DRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";

/// The key that WebDriver names an element by.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window.
pub struct Browser {
    driver: Child,
    address: Address,
    session: String,
    profile: TempDir,
}

impl Browser {
    /// Starts one that runs no scripts; `None`, with a word about it, where Chromium is not installed.
    pub fn without_scripts() -> Option<Self> {
        Self::start(false)
    }

    /// Starts one that runs the scripts of pages, and a test's; `None`, with a word about it, where Chromium is not
    /// installed.
    pub fn with_scripts() -> Option<Self> {
        let browser = Self::start(true)?;
        let longest = u64::try_from(DEADLINE.as_millis()).unwrap_or(u64::MAX);
        browser.call("POST", &browser.path("timeouts"), &json!({ "script": longest }));
        Some(browser)
    }

    fn start(scripts: bool) -> Option<Self> {
        if !Path::new(DRIVER).exists() || !Path::new(CHROMIUM).exists() {
            cannot("Chromium and its chromedriver are not installed (apt-get install chromium chromium-driver)");
            return None;
        }
        let profile =
            tempfile::Builder::new().prefix("joblines-test-browser-").tempdir().expect("a folder can be made");
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let port = announced_port(&mut driver);
        let address = Address::Tcp(([127, 0, 0, 1], port).into());
        let mut browser = Browser { driver, address, session: String::new(), profile };
        let answer = browser.call("POST", "/session", &capabilities(browser.profile.path(), scripts));
        browser.session = answer["sessionId"].as_str().expect("a new session has an id").to_owned();
        Some(browser)
    }

    /// Sends a command; its value, or WebDriver's error.
    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let mut request = self.address.request(method, path);
        if method == "POST" {
            request = request.body("application/json; charset=utf-8", body.to_string());
        }
        let response = request.send();
        let status = response.status;
        let value = response.json()["value"].take();
        if status == 200 { Ok(value) } else { Err(value) }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn path(&self, command: &str) -> String {
        format!("/session/{}/{command}", self.session)
    }

    /// Begins to load a page, and does not wait for it.
    pub fn open(&self, url: &str) {
        self.call("POST", &self.path("url"), &json!({ "url": url }));
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        self.call("GET", &self.path("url"), &Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// The first element that a CSS selector fits.
    fn find(&self, css: &str) -> Option<String> {
        let found = self.try_call("POST", &self.path("element"), &json!({ "using": "css selector", "value": css }));
        Some(found.ok()?[ELEMENT].as_str()?.to_owned())
    }

    /// Something about the first element that a selector fits.
    fn about(&self, css: &str, what: &str) -> Option<Value> {
        let element = self.find(css)?;
        self.try_call("GET", &self.path(&format!("element/{element}/{what}")), &Value::Null).ok()
    }

    /// The text of an element as it is shown.
    pub fn text(&self, css: &str) -> Option<String> {
        Some(self.about(css, "text")?.as_str()?.to_owned())
    }

    /// The computed value of one CSS property.
    pub fn style(&self, css: &str, property: &str) -> Option<String> {
        Some(self.about(css, &format!("css/{property}"))?.as_str()?.to_owned())
    }

    /// Whether an element is there and shown.
    pub fn is_shown(&self, css: &str) -> bool {
        self.about(css, "displayed") == Some(Value::Bool(true))
    }

    /// Where an element stands on the page: x, y, width, height.
    pub fn place(&self, css: &str) -> Option<[f64; 4]> {
        let rect = self.about(css, "rect")?;
        Some(["x", "y", "width", "height"].map(|side| rect[side].as_f64().unwrap_or(f64::NAN)))
    }

    /// Follows a link or presses a button, where the style sheet has put it: a click goes to a place, and before that
    /// nothing is at its own.
    pub fn click(&self, css: &str) {
        self.wait_until("[...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.sheet)");
        let element = self.find(css).unwrap_or_else(|| panic!("nothing to click at {css}"));
        self.call("POST", &self.path(&format!("element/{element}/click")), &json!({}));
    }

    /// Runs a script in the page, as the body of a function whose last argument takes the result.
    pub fn evaluate_later(&self, script: &str) -> Value {
        self.call("POST", &self.path("execute/async"), &json!({ "script": script, "args": [] }))
    }

    /// The value of an expression in the page; null while there is no page.
    pub fn value(&self, expression: &str) -> Value {
        let body = json!({ "script": format!("return {expression}"), "args": [] });
        self.try_call("POST", &self.path("execute/sync"), &body).unwrap_or_default()
    }

    /// Waits until an expression is true in the page.
    pub fn wait_until(&self, expression: &str) {
        wait_for(expression, || self.value(expression) == Value::Bool(true));
    }

    /// Loads the page anew, as its button does.
    pub fn reload(&self) {
        self.call("POST", &self.path("refresh"), &json!({}));
    }

    /// Types into a field, behind what is there.
    pub fn type_in(&self, css: &str, text: &str) {
        let element = self.find(css).unwrap_or_else(|| panic!("nothing to type in at {css}"));
        self.call("POST", &self.path(&format!("element/{element}/value")), &json!({ "text": text }));
    }

    /// Presses and lets go of one key, wherever the focus is; `\u{E00C}` is Escape.
    pub fn press(&self, key: &str) {
        let keys = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let actions = json!({ "actions": [{ "type": "key", "id": "keys", "actions": keys }] });
        self.call("POST", &self.path("actions"), &actions);
    }

    /// Turns the wheel by so many pixels; up where `down` is below zero.
    pub fn turn_wheel(&self, down: i32) {
        let turn = json!([{ "type": "scroll", "x": 300, "y": 300, "deltaX": 0, "deltaY": down, "duration": 0 }]);
        let actions = json!({ "actions": [{ "type": "wheel", "id": "wheel", "actions": turn }] });
        self.call("POST", &self.path("actions"), &actions);
    }

    /// Lets pages show notifications, as somebody does who says yes when asked.
    pub fn allow_notifications(&self) {
        let permission = json!({ "descriptor": { "name": "notifications" }, "state": "granted" });
        self.call("POST", &self.path("permissions"), &permission);
    }

    /// Puts the window out of sight.
    pub fn minimize(&self) {
        self.call("POST", &self.path("window/minimize"), &json!({}));
    }

    /// Puts the window back in sight.
    pub fn restore(&self) {
        self.call("POST", &self.path("window/rect"), &json!({ "width": 1000, "height": 700 }));
    }

    /// Waits until an element shows `needle`.
    pub fn wait_for_text(&self, css: &str, needle: &str) {
        wait_for(&format!("{needle:?} in {css}"), || self.text(css).is_some_and(|text| text.contains(needle)));
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.call("POST", &self.path("goog/cdp/execute"), &json!({ "cmd": command, "params": parameters }))
    }

    /// Makes the window a screen of this size; under 500 a phone's.
    pub fn size(&self, width: u32, height: u32) {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// `dark` or `light`.
    pub fn scheme(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// The size of all there is to scroll to: width and height.
    pub fn content_size(&self) -> [f64; 2] {
        let metrics = self.devtools("Page.getLayoutMetrics", &json!({}));
        ["width", "height"].map(|side| metrics["cssContentSize"][side].as_f64().unwrap_or(f64::NAN))
    }

    /// A PNG of what is in the window.
    pub fn screenshot(&self) -> Vec<u8> {
        let picture = self.call("GET", &self.path("screenshot"), &Value::Null);
        STANDARD.decode(picture.as_str().unwrap_or_default()).expect("a screenshot is base64")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.address.request("DELETE", &format!("/session/{}", self.session)).try_send();
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        processes::end_all_around(self.profile.path());
    }
}

/// The port in `ChromeDriver was started successfully on port 41234.`
fn announced_port(driver: &mut Child) -> u16 {
    let out = BufReader::new(driver.stdout.take().expect("it was piped"));
    let port = out.lines().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    port.expect("chromedriver says its port")
}

fn capabilities(profile: &Path, scripts: bool) -> Value {
    let data: PathBuf = profile.join("data");
    let args = [
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--user-data-dir={}", data.display()),
    ];
    let prefs = json!({ "webkit.webprefs.javascript_enabled": scripts });
    let options = json!({ "binary": CHROMIUM, "args": args, "prefs": prefs });
    let wanted = json!({ "browserName": "chrome", "pageLoadStrategy": "none", "goog:chromeOptions": options });
    json!({ "capabilities": { "alwaysMatch": wanted } })
}
