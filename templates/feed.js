// What a feed's page can do besides showing: following, pausing, another speed, counting, going on after a lost connection
// and after a page that is full, and letting go of old rows. The page works without it, and no row is rendered here: rows
// come from the server alone, and are moved, numbered and counted.

/** A page that follows keeps so many rows, and goes on with no more after a pause. */
const MOST_ROWS = 5000;
/** How far a link to earlier lines goes back. */
const STEP = 1000;
/** The server says something every 15 s at least. A connection that is silent for so long, in seconds, is no more. */
const SILENCE = 50;
/** Seconds between attempts to connect again: the first comes at once. */
const PAUSES = [0, 1, 2, 4, 8, 15, 30];
/** How often a pause asks how many lines have come, in milliseconds. */
const ASK = 2000;
/** The end of the slider: no limit. */
const FASTEST = 21;
/** What is said while no connection can be had. */
const LOST = "The connection is lost; trying to go on.";

const byId = (id) => document.getElementById(id);
const digits = new Intl.NumberFormat("en");
const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** What a refusal is about may be over the next time. */
const isOfNow = (response) => response.status >= 500 || response.status === 429;
const numberOf = (row) => Number(row.id.slice(1));

/** What `find` finds once the parser has come so far; null where the page ends without it. */
function appeared(find) {
  return new Promise((resolve) => {
    const look = () => {
      const found = find();
      if (!found && document.readyState === "loading") return;
      watcher.disconnect();
      document.removeEventListener("DOMContentLoaded", look);
      resolve(found ?? null);
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, { childList: true, subtree: true });
    document.addEventListener("DOMContentLoaded", look);
    look();
  });
}

/** The rows of the table. Those with an id are lines; among them stand days, counts of what remains, and gaps. */
class Rows {
  #listeners = [];
  /** The last row that was numbered and counted for good. */
  #looked = null;
  /** The one behind it, where it is numbered and counted already: it may not be whole. */
  #newest = null;
  #problems = 0;
  #counts = { errors: 0, warnings: 0 };

  constructor(body, address) {
    this.body = body;
    this.address = address;
    this.first = Number(byId("tools").dataset.first);
    new MutationObserver(() => this.#notice()).observe(body, { childList: true });
    this.#notice();
  }

  /** Calls `listener` when there are new rows: many times a second at most, not once a row. */
  onNews(listener) {
    this.#listeners.push(listener);
  }

  #notice() {
    if (this.waits) return;
    this.waits = setTimeout(() => {
      this.waits = null;
      this.look();
      for (const listener of this.#listeners) listener();
    }, 16);
  }

  last() {
    let row = this.body.lastElementChild;
    while (row && !row.id) row = row.previousElementSibling;
    return row;
  }

  /** The number of the newest line. */
  newest() {
    const last = this.last();
    // several lines may share a row
    return last ? Number(last.dataset.to ?? numberOf(last)) : this.first - 1;
  }

  /** Removes the last row, which may not be whole, and what is behind it. Returns the number of the line to go on with. */
  cutBack() {
    this.look();
    const last = this.last();
    if (!last) return this.first;
    if (last === this.#newest || last.nextElementSibling) this.#forget(last);
    this.#newest = null;
    while (last.nextElementSibling) last.nextElementSibling.remove();
    const number = numberOf(last);
    this.#looked = last.previousElementSibling;
    last.remove();
    this.first = Math.max(this.first, number);
    return number;
  }

  /** Numbers and counts the rows: for good those that another one follows, the last one until it is looked at again. */
  look() {
    if (this.#newest) this.#forget(this.#newest);
    this.#newest = null;
    let row = this.#looked ? this.#looked.nextElementSibling : this.body.firstElementChild;
    for (; row?.nextElementSibling; row = row.nextElementSibling) {
      if (row.className === "day" && this.day === row.textContent.trim()) {
        const same = row;
        row = row.previousElementSibling ?? row.nextElementSibling;
        same.remove();
      } else if (row.className === "day") {
        this.day = row.textContent.trim();
      } else if (row.id) {
        this.#count(row, 1);
        this.#number(row.cells[2]);
      }
      this.#looked = row;
    }
    // the cell of its level is there once another one follows that
    if (!row?.id || row.cells.length < 4) return;
    this.#count(row, 1);
    this.#number(row.cells[2]);
    this.#newest = row;
  }

  #count(row, by) {
    // only what begins a record has a number among them
    if (!row.cells[2]?.id) return;
    if (/level-(error|critical)/.test(row.className)) this.#counts.errors += by;
    if (row.classList.contains("level-warning")) this.#counts.warnings += by;
  }

  #forget(row) {
    this.#count(row, -1);
    if (row.cells[2]?.id) this.#problems -= 1;
  }

  /** The server numbers the warnings and errors of each page from 1. */
  #number(cell) {
    if (!cell?.id) return;
    const number = (this.#problems += 1);
    cell.id = `e${number}`;
    const hop = cell.querySelector(".hop");
    const next = hop.lastElementChild;
    if (number > 1 && next === hop.firstElementChild) {
      const previous = next.cloneNode();
      [previous.ariaLabel, previous.textContent] = ["previous warning or error", "↑"];
      hop.prepend(previous);
    }
    next.setAttribute("href", `#e${number + 1}`);
    if (number > 1) hop.firstElementChild.setAttribute("href", `#e${number - 1}`);
  }

  /** Takes the oldest rows off a page that has too many, and says so before the table. */
  trim() {
    let over = this.body.childElementCount - MOST_ROWS;
    if (over <= 0) return false;
    // what goes has been counted
    this.look();
    let day = null;
    for (; over > 0; over -= 1) {
      const oldest = this.body.firstElementChild;
      if (oldest.className === "day") day = oldest;
      if (oldest.id) this.#count(oldest, -1);
      oldest.remove();
    }
    if (day && this.body.firstElementChild?.className !== "day") this.body.prepend(day);
    const first = [...this.body.children].find((row) => row.id);
    if (first) this.#tellEarlier(numberOf(first));
    return true;
  }

  #tellEarlier(first) {
    let words = document.querySelector("header .earlier");
    if (!words) {
      words = document.createElement("p");
      words.className = "earlier";
      document.querySelector("header").append(words);
    }
    const link = document.createElement("a");
    link.href = `${this.address}?from=${Math.max(1, first - STEP)}#L${first - 1}`;
    link.textContent = "show some";
    words.replaceChildren(`lines before ${digits.format(first)} are not on this page any more: `, link);
  }

  /** Says that lines are passed over here. */
  skip(from, to) {
    const row = document.createElement("tr");
    row.className = "skipped";
    const cell = row.insertCell();
    cell.colSpan = 6;
    const link = document.createElement("a");
    link.href = `${this.address}?from=${from}#L${from}`;
    link.textContent = "show them";
    cell.append(`lines ${digits.format(from)} to ${digits.format(to)} are not on this page: `, link);
    this.body.append(row);
  }

  summary() {
    const { errors, warnings } = this.#counts;
    const some = (number, what) => `${digits.format(number)} ${what}${number === 1 ? "" : "s"}`;
    return `${some(this.body.querySelectorAll(":scope > [id]").length, "row")}, ${some(errors, "error")}, ${some(warnings, "warning")}`;
  }
}

/** Keeps the newest row in sight until one scrolls up. */
class Follower {
  #y = scrollY;

  constructor(rows) {
    this.following = location.hash === "";
    this.button = byId("follow");
    this.button.addEventListener("click", () => (this.following ? this.stop() : this.start()));
    new ResizeObserver(() => this.keepUp()).observe(rows.body);
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    addEventListener("wheel", (event) => event.deltaY < 0 && scrollY > 0 && this.stop(), { passive: true });
    addEventListener("hashchange", () => this.stop());
    this.show();
    this.keepUp();
  }

  start() {
    this.following = true;
    this.show();
    this.keepUp();
  }

  stop() {
    this.following = false;
    this.show();
  }

  keepUp() {
    if (!this.following) return;
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    this.#y = scrollY;
  }

  #scrolled() {
    const atBottom = scrollY + innerHeight >= document.documentElement.scrollHeight - 4;
    if (!atBottom && scrollY < this.#y - 1) this.stop();
    else if (atBottom && scrollY > this.#y && !this.following) this.start();
    this.#y = scrollY;
  }

  show() {
    this.button.ariaPressed = String(this.following);
  }
}

/** The rows that come. They are fetched: no event tells that a document's own connection was lost. */
class Stream {
  paused = false;
  #connection = null;
  #wake = () => {};

  /** No line comes: it is paused, or its speed is 0. */
  get stands() {
    return this.paused || this.query.get("rate") === "0";
  }

  constructor(rows, follower, query) {
    Object.assign(this, { rows, follower, query });
    this.said = byId("said");
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
  }

  /** A word about the connection; heard by a screen reader. */
  say(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  /** The feed's `record`; or the status that it was `refused` with; neither where the server does not answer now. */
  async ask() {
    try {
      const response = await fetch(this.rows.address, { headers: { Accept: "application/json" } });
      if (response.ok) return { record: await response.json() };
      return isOfNow(response) ? {} : { refused: response.status };
    } catch {
      return {};
    }
  }

  /** Connects anew with what is asked for now, if it is to be connected. */
  again() {
    this.#connection?.abort();
    this.#wake();
  }

  pause(paused) {
    this.paused = paused;
    this.again();
  }

  /** The document ends here, and what follows is fetched for as long as the page is there. */
  async run() {
    if (!(await this.#begin())) return;
    await styled();
    if (document.readyState === "loading") window.stop();
    for (let attempt = 0; ; ) {
      if (this.stands) {
        await this.#rest();
        attempt = 0;
        continue;
      }
      const before = this.rows.newest();
      const result = await this.#read();
      if (result === "gone") return;
      if (this.stands || result === "full" || result === "changed") {
        attempt = 0;
        continue;
      }
      if (this.rows.newest() > before) attempt = 0;
      if (attempt > 0) this.say(LOST);
      await this.#sleep(1000 * PAUSES[Math.min(attempt, PAUSES.length - 1)]);
      attempt += 1;
    }
  }

  /** Waits for the feed's first record: without one the document is all there is, and goes on. False where there is none. */
  async #begin() {
    for (let attempt = 0; ; attempt += 1) {
      const { record, refused } = await this.ask();
      if (refused) {
        this.#giveUp(refused);
        return false;
      }
      this.journal = record?.journal;
      if (record) return true;
      if (document.readyState !== "loading") this.say(LOST);
      await this.#sleep(1000 * PAUSES[Math.min(attempt, PAUSES.length - 1)]);
    }
  }

  #giveUp(status) {
    byId("pause").disabled = byId("rate").disabled = true;
    this.say(`The server cannot go on with this feed (${status}): reload the page to see why.`);
  }

  #sleep(milliseconds) {
    return Promise.race([after(milliseconds), new Promise((resolve) => (this.#wake = resolve))]);
  }

  /** While it is paused: says how many lines have come. */
  async #rest() {
    const { record } = await this.ask();
    if (!this.stands) return;
    if (record) this.say(`Paused: ${digits.format(Math.max(0, record.lines - this.rows.newest()))} more lines.`);
    await this.#sleep(ASK);
    if (!this.stands) this.say("");
  }

  /** Fetches what follows the last row: "full", "changed" (something else is asked for), "gone" or "cut". */
  async #read() {
    const { record, refused } = await this.ask();
    if (refused) {
      this.#giveUp(refused);
      return "gone";
    }
    if (!record) return "cut";
    this.journal ??= record.journal;
    // the numbers begin anew with a journal
    if (record.journal !== this.journal) location.reload();
    const from = this.rows.cutBack();
    const address = new URL(this.rows.address, location.href);
    address.search = this.query;
    address.searchParams.set("from", from);
    if (record.lines - from > 2 * MOST_ROWS && !this.query.has("rate")) {
      const next = record.lines - MOST_ROWS + 1;
      if (this.filtered()) address.searchParams.set("tail", MOST_ROWS);
      else {
        this.rows.skip(from, next - 1);
        address.searchParams.set("from", next);
      }
    }
    const connection = (this.#connection = new AbortController());
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" }, signal: connection.signal });
      if (response.ok) return await this.#pour(response, connection);
      if (isOfNow(response)) return "cut";
      this.#giveUp(response.status);
      return "gone";
    } catch {
      return connection.signal.reason?.name === "Silence" ? "cut" : connection.signal.aborted ? "changed" : "cut";
    } finally {
      connection.abort();
    }
  }

  filtered() {
    return ["q", "x", "level", "logger", "field", "stream"].some((name) => this.query.get(name));
  }

  /** The server's own rendering is parsed in a document that nobody sees, and its rows are moved over as they come. */
  async #pour(response, connection) {
    const unseen = document.implementation.createHTMLDocument("");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const silence = new DOMException("nothing comes", "Silence");
    let greeted = false;
    for (;;) {
      const alarm = setTimeout(() => connection.abort(silence), 1000 * SILENCE);
      const { done, value } = await reader.read().finally(() => clearTimeout(alarm));
      if (done) break;
      unseen.write(value);
      const body = unseen.querySelector("#lines > tbody");
      if (!body) continue;
      if (!greeted) this.#greet();
      greeted = true;
      this.rows.body.append(...body.children);
      if (this.follower.following && this.rows.trim()) this.follower.keepUp();
    }
    this.rows.look();
    return unseen.getElementById("end")?.className === "full" ? "full" : "cut";
  }

  #greet() {
    byId("end")?.remove();
    this.say("");
  }
}

/** Waits for the style sheet, which would otherwise be stopped together with the document. */
function styled() {
  const link = document.querySelector("link[rel=stylesheet]");
  if (link.sheet) return Promise.resolve();
  return new Promise((resolve) => ["load", "error"].forEach((event) => link.addEventListener(event, resolve)));
}

/** The slider: no line at all, from 1 line a second to 20, then as fast as they come. */
function offerRates(stream) {
  const [slider, pace] = [byId("rate"), byId("pace")];
  const asked = Number(stream.query.get("rate") || FASTEST);
  slider.value = Math.min(asked, FASTEST);
  const tell = () => {
    const rate = Number(slider.value);
    pace.textContent = rate >= FASTEST ? "all at once" : rate === 0 ? "paused" : `${rate} a second`;
    slider.ariaValueText = pace.textContent;
  };
  tell();
  slider.addEventListener("input", tell);
  slider.addEventListener("change", () => {
    const rate = Number(slider.value);
    if (rate >= FASTEST) stream.query.delete("rate");
    else stream.query.set("rate", rate);
    const shown = new URL(location.href);
    if (rate >= FASTEST) shown.searchParams.delete("rate");
    else shown.searchParams.set("rate", rate);
    history.replaceState(history.state, "", shown);
    stream.again();
  });
}

/** What of the page's query is about how lines are shown. */
function viewQuery() {
  const query = new URLSearchParams(location.search);
  const shown = ["time", "stream", "q", "x", "level", "logger", "field", "rate", "all"];
  for (const name of [...query.keys()]) if (!shown.includes(name)) query.delete(name);
  return query;
}

function enhance(body) {
  const rows = new Rows(body, document.querySelector("header h1 a").getAttribute("href"));
  const follower = new Follower(rows);
  const stream = new Stream(rows, follower, viewQuery());
  const hits = byId("hits");
  rows.onNews(() => (hits.textContent = rows.summary()));
  const pause = byId("pause");
  pause.addEventListener("click", () => {
    stream.pause(!stream.paused);
    pause.ariaPressed = String(stream.paused);
  });
  offerRates(stream);
  document.body.classList.add("scripted");
  byId("tools").hidden = false;
  stream.run();
}

const asked = new URLSearchParams(location.search);
const table = await appeared(() => document.querySelector("#lines > tbody"));
// a page that was asked to be finished is
if (table && asked.get("order") !== "newest" && !asked.get("until") && !["0", "false", "no", "off"].includes(asked.get("follow"))) enhance(table);
