// What the pages can do besides showing: on a run's page following, pausing, filtering, cancelling, telling the end and going
// on after a lost connection; on the list of jobs filtering while one types. Every page works without it, and no line
// is rendered here: rows come from the server alone, and are moved, marked and counted.

/** The server shows no more rows at once, and a page keeps no more while it follows a run: some parts of 5,000. */
const MOST_ROWS = 100_000;
const MOST_PARTS = 22;
/** What a page that fell behind by more goes on with, and how far links to earlier lines go back. */
const STEP = 5000;
/** The server says something every 15 s at least. A connection that is silent for so long, in seconds, is no more. */
const SILENCE = 50;
/** Seconds between attempts to connect again: the first comes at once. */
const PAUSES = [0, 1, 2, 4, 8, 15, 30];
/** A page of many rows is worked through in slices of so many milliseconds. */
const SLICE = 20;

const SIGNS = { queued: "…", running: "●", succeeded: "✓", failed: "✗", timed_out: "◷", cancelled: "⊘", lost: "?" };

const byId = (id) => document.getElementById(id);
const digits = new Intl.NumberFormat("en");
const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

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

/** The rows in `#lines`: `.part > .block > span`, each a line (`#L1`) or, without an id, the rest of one begun further
    up. Among the parts stand gaps (a link to lines that are left out) and counts. */
class Rows {
  /** Something has come since this was last set to false. */
  heard = true;
  #listeners = [];

  constructor(lines, run) {
    this.lines = lines;
    this.run = run;
    this.first = Number(byId("tools").dataset.first);
    this.watcher = new MutationObserver(() => this.#notice());
    this.#watch();
  }

  /** Calls `listener` when there is something new: many times a second at most, not once a row. */
  onNews(listener) {
    this.#listeners.push(listener);
  }

  #watch() {
    this.watcher.observe(this.lines, { childList: true, subtree: true, characterData: true });
  }

  #notice() {
    this.heard = true;
    this.watcher.disconnect();
    setTimeout(() => {
      this.#watch();
      for (const listener of this.#listeners) listener();
    }, 16);
  }

  /** The number of the newest line, as far as this page has been told. */
  newest() {
    const count = this.counted();
    if (count) return count;
    for (let block = this.lastBlock(); block; block = block.previousElementSibling) {
      for (let row = block.lastElementChild; row; row = row.previousElementSibling) {
        if (row.id) return Number(row.id.slice(1));
      }
    }
    return this.first - 1;
  }

  lastBlock() {
    let part = this.lines.lastElementChild;
    while (part && !part.classList.contains("part")) part = part.previousElementSibling;
    return part?.lastElementChild;
  }

  /** The blocks from the first one on, or those after `block`. */
  *blocks(block = null) {
    let next = block ? block.nextElementSibling : null;
    let part = block ? block.parentElement : null;
    for (;;) {
      for (; next; next = next.nextElementSibling) yield next;
      part = part ? part.nextElementSibling : this.lines.firstElementChild;
      if (!part) return;
      if (part.classList.contains("part")) next = part.firstElementChild;
    }
  }

  /** How many lines there are by the server's count, where it only counts; else 0. */
  counted() {
    const last = this.lines.lastElementChild;
    return last?.className === "count" ? Number(last.dataset.lines) : 0;
  }

  /** Removes what may not be whole: everything behind the last row up to which every line has its end. Returns the
      number of the line to go on with. */
  cutBack() {
    const unfinished = new Set();
    let [next, whole, goOnWith] = [this.first, null, this.first];
    for (const block of this.blocks()) {
      for (const row of block.children) {
        if (!isRow(row)) continue;
        if (row.id) next = Number(row.id.slice(1)) + 1;
        const ends = row.lastChild?.nodeType === Node.TEXT_NODE && row.lastChild.data.endsWith("\n");
        if (!ends) unfinished.add(streamOf(row));
        else if (unfinished.size > 0) unfinished.delete(streamOf(row));
        if (unfinished.size === 0) [whole, goOnWith] = [row, next];
      }
    }
    const rest = document.createRange();
    rest.selectNodeContents(this.lines);
    if (whole) rest.setStartAfter(whole);
    rest.deleteContents();
    return goOnWith;
  }

  /** Takes the oldest parts off a page that has too many, and says so in their place. */
  trim() {
    const gap = this.lines.querySelector(":scope > .gap:first-child");
    const over = this.lines.childElementCount - (gap ? 1 : 0) - MOST_PARTS;
    if (over <= 0) return false;
    gap?.remove();
    for (let left = over; left > 0; left -= 1) this.lines.firstElementChild.remove();
    const first = this.lines.querySelector("[id]");
    if (!first) return true;
    const last = Number(first.id.slice(1)) - 1;
    const text = `lines up to ${digits.format(last)} are not on this page any more`;
    this.lines.prepend(this.#gapElement(last, text));
    return true;
  }

  /** Says that lines are passed over here. */
  skip(from, to) {
    this.lines.append(this.#gapElement(to, `lines ${digits.format(from)} to ${digits.format(to)} are not on this page`));
  }

  /** A link to the lines before and with `last`. */
  #gapElement(last, text) {
    const gap = document.createElement("a");
    gap.className = "gap";
    gap.href = `${this.run}?from=${Math.max(1, last + 1 - STEP)}#L${last}`;
    gap.dataset.text = `${text}: show them`;
    gap.ariaLabel = gap.dataset.text;
    return gap;
  }
}

const isRow = (element) => element.id.startsWith("L") || element.classList.contains("cont");

function streamOf(row) {
  if (row.querySelector(".stderr")) return "stderr";
  return row.querySelector(".system") ? "system" : "stdout";
}

/** The text of a row as it is shown: of a row that rewrites itself, its newest state. */
function textOf(row) {
  const text = row.querySelector("wbr") ? [...row.querySelectorAll(".was")].at(-1).textContent : row.textContent;
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

/** What is said of the run in the head, in the title, in the icon, and to a screen reader: each end once. */
class Status {
  constructor() {
    this.element = document.querySelector("header > .state");
    this.job = document.querySelector("header h1").textContent;
    this.elapsed = document.querySelector(".elapsed");
    this.said = byId("said");
    this.state = this.element.classList[1];
    this.live = this.state === "queued" || this.state === "running";
    this.waited = this.state === "queued";
    if (!this.live) return;
    this.#show();
    this.#count();
    this.clock = setInterval(() => this.#count(), 1000);
  }

  /** Takes up a state; `sentence` is read out in its place. */
  change(state, sentence) {
    if (this.state === "queued") this.begun = performance.now();
    this.state = state;
    this.element.className = `state ${state}`;
    this.element.querySelector("span").textContent = sentence ?? state;
    this.#show();
  }

  /** A run that waits for its turn says so in place of lines; then it is running. */
  look(lines) {
    if (!this.waited || !this.live) return;
    const last = lines.lastElementChild;
    const waits = !last || (last.className === "notice" && !lines.querySelector(".part"));
    if (waits !== (this.state === "queued")) this.change(waits ? "queued" : "running");
  }

  /** A page that was fetched to go on begins in this state. */
  hear(state) {
    if (state !== "queued" && state !== "running") return;
    this.waited = state === "queued";
    if (state !== this.state) this.change(state);
  }

  /** What this page says of the run is how it was when the page was made. */
  leave() {
    this.live = false;
    clearInterval(this.clock);
  }

  /** The run has ended as the footer says. */
  end(footer) {
    if (!this.live) return;
    this.live = false;
    clearInterval(this.clock);
    this.elapsed.hidden = true;
    this.say("");
    this.change(footer.className, this.words(footer.className));
  }

  words(state = this.state) {
    return state.replace("_", " ");
  }

  title() {
    return `${SIGNS[this.state]} ${this.words()} ${this.job}`;
  }

  /** A word about what one did, or about the connection; heard by a screen reader. */
  say(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  #show() {
    document.title = `${this.title()} · joblines`;
    const icon = document.querySelector("link[rel=icon]");
    icon.href = icon.dataset.states.replace("STATE", this.state);
  }

  /** The server says how old the run was when the page began, so that no clock has to agree with another. What a run
      waited for its turn does not count. */
  #count() {
    const [opened] = performance.getEntriesByType("navigation");
    const since = this.begun ?? (opened?.responseStart ?? 0) - 1000 * Number(this.elapsed.dataset.age);
    const seconds = (performance.now() - since) / 1000;
    this.elapsed.textContent = `for ${inDuration(Math.floor(seconds))}`;
    this.elapsed.hidden = false;
  }
}

/** As the footer says it, in whole seconds. */
function inDuration(seconds) {
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit));
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** Keeps the newest line in sight until one scrolls up, or holds the page still while lines go on coming. */
class Follower {
  paused = false;
  /** The newest line when the page stopped following. */
  #seen = 0;
  #y = scrollY;

  constructor(rows, status) {
    this.rows = rows;
    this.status = status;
    this.following = status.live && location.hash === "";
    this.buttons = { follow: byId("follow"), pause: byId("pause") };
    this.buttons.follow.addEventListener("click", () => (this.following ? this.stop() : this.start()));
    this.buttons.pause.addEventListener("click", () => (this.paused ? this.start() : this.pause()));
    new ResizeObserver(() => this.keepUp()).observe(rows.lines);
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    addEventListener("wheel", (event) => event.deltaY < 0 && scrollY > 0 && this.stop(), { passive: true });
    rows.onNews(() => this.show());
    this.show();
    this.keepUp();
  }

  start() {
    this.#release();
    this.following = true;
    this.show();
    this.keepUp();
  }

  stop() {
    if (!this.following) return;
    this.following = false;
    this.#seen = this.rows.newest();
    this.show();
  }

  /** What comes from now on is behind the rows that are marked, where the style sheet hides it. */
  pause() {
    if (!this.following) this.#seen = this.rows.newest();
    this.stop();
    this.paused = true;
    const lines = this.rows.lines;
    for (let last = lines.lastElementChild; last && !isRow(last.parentElement); last = last.lastElementChild) {
      last.classList.add("held");
    }
    lines.classList.add("paused");
    lines.classList.toggle("empty", !lines.lastElementChild);
    this.show();
  }

  #release() {
    this.paused = false;
    this.rows.lines.classList.remove("paused", "empty");
    for (const held of this.rows.lines.querySelectorAll(".held")) held.classList.remove("held");
  }

  /** To the newest line, where that is wanted. */
  keepUp() {
    if (!this.following) return;
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
    this.#y = scrollY;
  }

  #scrolled() {
    const atBottom = scrollY + innerHeight >= document.documentElement.scrollHeight - 4;
    if (!atBottom && scrollY < this.#y - 1) this.stop();
    else if (atBottom && scrollY > this.#y && !this.following && !this.paused && this.status.live) this.start();
    this.#y = scrollY;
  }

  show() {
    const { follow, pause } = this.buttons;
    follow.hidden = pause.hidden = !this.status.live && !this.paused;
    follow.ariaPressed = String(this.following);
    pause.ariaPressed = String(this.paused);
    const fresh = this.following ? 0 : this.rows.newest() - this.#seen;
    const label = fresh > 0 ? `Follow (${digits.format(fresh)} new)` : "Follow";
    if (follow.textContent !== label) follow.textContent = label;
  }
}

/** Shows only the rows that fit. Rows that fit are marked and the style sheet hides the others, so that no new row is seen
    before it has been looked at. */
class Filter {
  #test = null;
  #busy = false;
  #counts = new WeakMap();
  /** The last block that was looked at: it may have got more rows since. */
  #reached = null;

  constructor(rows) {
    this.rows = rows;
    this.input = byId("filter");
    this.stream = byId("stream");
    this.hits = byId("hits");
    this.input.addEventListener("input", () => this.apply());
    this.stream.addEventListener("change", () => this.apply());
    document.addEventListener("keydown", (event) => this.#press(event));
    rows.onNews(() => this.#scan());
    this.apply(); // a reloaded page may have kept what was typed
  }

  #press(event) {
    const typing = event.target.closest?.("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.input.focus();
    } else if (event.key === "Escape" && (this.input.value || this.stream.value)) {
      event.preventDefault();
      this.input.value = this.stream.value = "";
      this.apply();
    }
  }

  apply() {
    const test = this.#makeTest();
    this.input.ariaInvalid = String(test === undefined);
    if (test === undefined) return;
    this.#test = test;
    this.#reached = null;
    this.#counts = new WeakMap();
    this.rows.lines.classList.toggle("filtered", test !== null);
    this.hits.textContent = "";
    this.#scan();
  }

  /** Null where every row fits, undefined where what was typed is no regular expression. */
  #makeTest() {
    const [typed, stream] = [this.input.value, this.stream.value];
    if (!typed && !stream) return null;
    try {
      const { line, lines } = matcher(typed);
      return { row: (row) => (!stream || streamOf(row) === stream) && line(textOf(row)), block: lines };
    } catch (error) {
      this.hits.textContent = error.message;
      return undefined;
    }
  }

  /** Looks at the rows that have not been looked at, a slice at a time, so that the page stays quick. */
  async #scan() {
    if (this.#busy || !this.#test) return;
    this.#busy = true;
    while (this.#test && !this.#slice(performance.now() + SLICE)) {
      this.#tell();
      await after(0);
    }
    this.#busy = false;
    this.#tell();
  }

  /** True once every block has been looked at. */
  #slice(until) {
    if (this.#reached?.isConnected) this.#mark(this.#reached);
    else this.#reached = null;
    for (const block of this.rows.blocks(this.#reached)) {
      if (performance.now() > until) return false;
      this.#mark(block);
      this.#reached = block;
    }
    return true;
  }

  #mark(block) {
    this.#note(block, this.#mayFit(block) ? this.#markRows(block) : { hits: 0, rows: block.childElementCount });
    this.#note(block.parentElement, this.#sum(block.parentElement.children));
  }

  /** One look at the text of a block spares a look at each of its rows, where none of them fits. */
  #mayFit(block) {
    return !this.#test.block || block.querySelector("wbr, .notice") || this.#test.block(block.textContent);
  }

  #markRows(block) {
    const found = { hits: 0, rows: 0 };
    for (const row of block.children) {
      if (!isRow(row)) continue;
      const fits = this.#test.row(row);
      if (fits || row.className) row.classList.toggle("hit", fits);
      found.hits += fits;
      found.rows += 1;
    }
    return found;
  }

  /** Marks a block or a part that has hits; while it is out of sight its height is known by their number alone. */
  #note(element, found) {
    this.#counts.set(element, found);
    element.classList.toggle("hit", found.hits > 0);
    if (found.hits > 0) element.style.setProperty("--hits", found.hits);
  }

  #sum(elements) {
    const sum = { hits: 0, rows: 0 };
    for (const element of elements) {
      const found = this.#counts.get(element);
      sum.hits += found?.hits ?? 0;
      sum.rows += found?.rows ?? 0;
    }
    return sum;
  }

  #tell() {
    if (!this.#test) return;
    const { hits, rows } = this.#sum(this.rows.lines.children);
    const text = `${digits.format(hits)} of ${digits.format(rows)} lines on this page`;
    if (this.hits.textContent !== text) this.hits.textContent = text;
  }
}

/** Whether a line fits what was typed, `/regex/flags` (the last slash may be missing yet) or text in any case; and
    whether one of many lines may. Where the end of a line is not what the end of all is, that is not told. */
function matcher(typed) {
  const [, pattern, given = ""] = /^\/(.+?)(?:\/([dgimsuvy]*))?$/s.exec(typed) ?? [];
  if (pattern === undefined) {
    const wanted = typed.toLowerCase();
    const includes = (text) => text.toLowerCase().includes(wanted);
    return { line: includes, lines: includes };
  }
  const flags = given.replace(/[gmy]/g, "");
  const [one, many] = [new RegExp(pattern, flags), new RegExp(pattern, `${flags}m`)];
  return { line: (text) => one.test(text), lines: /\(\?<?!/.test(pattern) ? null : (text) => many.test(text) };
}

/** The lines of a run that goes on. They are fetched: no event tells that a document's own connection was lost, and a
    browser shows no icon of a page that it still loads. */
class Stream {
  #taken = false;
  #quiet = 0;
  #end;
  #wake = () => {};

  constructor(rows, status, follower, query) {
    Object.assign(this, { rows, status, follower, query });
    rows.onNews(() => {
      status.look(rows.lines);
      this.#stayShort();
    });
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
    this.ended = new Promise((resolve) => (this.#end = resolve));
    // a run that ends when its page is left keeps the connection that started it
    const onItsOwn = status.live && !("tied" in document.body.dataset) && !query.has("follow") && !query.get("until");
    if (document.readyState !== "loading") {
      this.#documentEnded();
    } else if (onItsOwn) {
      this.takeOver();
    } else {
      document.addEventListener("DOMContentLoaded", () => this.#documentEnded());
      this.silent = setInterval(() => this.#listen(), 5000);
    }
  }

  #documentEnded() {
    if (this.#taken) return;
    if (isWhole(byId("end"))) this.#finish();
    else if (!document.querySelector("footer.paused")) this.takeOver();
    else this.#leave();
  }

  /** The run goes on without this page: nothing comes any more that could be followed or told. */
  #leave() {
    clearInterval(this.silent);
    this.status.leave();
    this.follower.show();
    byId("notify").hidden = true;
  }

  #finish() {
    clearInterval(this.silent);
    this.#end(byId("end"));
  }

  /** Counts how long nothing has come, in the time that the page was awake. */
  #listen() {
    this.#quiet = this.rows.heard ? 0 : this.#quiet + 5;
    this.rows.heard = false;
    if (this.#quiet >= SILENCE) this.takeOver();
  }

  /** Old rows make room for new ones. */
  #stayShort() {
    if (this.query.has("all") || !this.follower.following) return;
    if (this.rows.trim()) this.follower.keepUp();
  }

  /** The document ends here, and what follows is fetched. */
  async takeOver() {
    if (this.#taken) return;
    this.#taken = true;
    clearInterval(this.silent);
    await styled();
    if (document.readyState === "loading") window.stop();
    if (isWhole(byId("end"))) return this.#finish();
    for (let attempt = 0; ; ) {
      const [before, began] = [this.rows.newest(), performance.now()];
      const result = await this.#read();
      if (result === "ended") break;
      if (result === "gone") return;
      if (result === "counting") continue;
      if (this.rows.newest() > before || performance.now() - began > 10_000) attempt = 0;
      const pause = PAUSES[Math.min(attempt, PAUSES.length - 1)];
      if (attempt > 0) this.status.say("The connection is lost; trying to go on.");
      await Promise.race([after(1000 * pause), new Promise((resolve) => (this.#wake = resolve))]);
      attempt += 1;
    }
    this.#finish();
  }

  /** Fetches what follows the last whole line, until there is no more: "ended", "counting", "gone" or "cut". */
  async #read() {
    const behind = this.rows.counted();
    let from = this.rows.cutBack();
    if (behind - from > MOST_ROWS) {
      this.rows.skip(from, behind - STEP);
      from = behind - STEP + 1;
    }
    this.follower.keepUp();
    const address = new URL(this.rows.run);
    address.search = this.query;
    address.searchParams.delete("follow");
    address.searchParams.delete("since");
    address.searchParams.set("from", from);
    const connection = new AbortController();
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" }, signal: connection.signal });
      if (response.ok) return await this.#pour(response, connection);
      if (response.status >= 500 || response.status === 429) return "cut";
      this.status.say(`The server cannot go on with this run (${response.status}): reload the page to see why.`);
      return "gone";
    } catch {
      return "cut";
    } finally {
      connection.abort();
    }
  }

  /** The server's own rendering is parsed in a document that nobody sees, and its rows are moved over as they come. */
  async #pour(response, connection) {
    const unseen = document.implementation.createHTMLDocument("");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let [connected, painted] = [false, performance.now()];
    for (;;) {
      const alarm = setTimeout(() => connection.abort(), 1000 * SILENCE);
      const { done, value } = await reader.read().finally(() => clearTimeout(alarm));
      if (done) break;
      unseen.write(value);
      const lines = unseen.getElementById("lines");
      if (!lines) continue;
      if (!connected) this.#greet(unseen.querySelector("header > .state").classList[1]);
      connected = true;
      this.rows.lines.append(...lines.childNodes);
      if (this.rows.counted() && this.follower.following && !this.query.has("all")) return "counting";
      if (performance.now() - painted > SLICE) {
        await after(0);
        painted = performance.now();
      }
    }
    const end = unseen.getElementById("end");
    if (!isWhole(end)) return "cut";
    byId("end")?.remove();
    document.body.append(end);
    return "ended";
  }

  #greet(state) {
    this.status.hear(state);
    if (this.status.said.textContent.startsWith("The connection")) this.status.say("Connected again.");
  }
}

/** Waits for the style sheet, which would otherwise be stopped together with the document. */
function styled() {
  const link = document.querySelector("link[rel=stylesheet]");
  if (link.sheet) return Promise.resolve();
  return new Promise((resolve) => ["load", "error"].forEach((event) => link.addEventListener(event, resolve)));
}

/** The footer has its last link: nothing of it is missing. */
const isWhole = (end) => Boolean(end?.querySelector("a[href$=download]"));

/** Tells of the end where one is not looking, if one asked for that. */
class Bell {
  constructor(status) {
    this.button = byId("notify");
    this.status = status;
    if (!status.live || !isSecureContext || !("Notification" in window) || Notification.permission === "denied") return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.#press());
  }

  async #press() {
    const wanted = this.button.ariaPressed !== "true" && (await Notification.requestPermission()) === "granted";
    this.button.ariaPressed = String(wanted);
    if (Notification.permission === "denied") {
      this.button.hidden = true;
      this.status.say("This browser lets joblines tell nothing.");
    }
  }

  ring(sentence) {
    const wanted = this.button.ariaPressed === "true" && !this.button.hidden;
    this.button.hidden = true;
    if (!wanted || (!document.hidden && document.hasFocus())) return;
    try {
      const told = new Notification(this.status.title(), { body: sentence, tag: location.pathname });
      told.onclick = () => {
        focus();
        told.close();
      };
    } catch {
      // some phones know notifications only of pages that are installed
    }
  }
}

/** Cancels without leaving the page; the form does the same without this. Its button comes along to where the others
    stay in sight. */
function cancelInPlace(form, status) {
  let asked = false;
  byId("pause").after(form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (asked) return;
    asked = true;
    form.firstElementChild.ariaDisabled = "true";
    status.say("Cancelling…");
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok || answer?.status === 409) return;
    asked = false;
    form.firstElementChild.ariaDisabled = "false";
    status.say(answer ? `It cannot be cancelled (${answer.status}).` : "It cannot be cancelled: no connection.");
  });
}

/** What of the page's query is about how lines are shown, and so belongs to the run's own address too. */
function viewQuery() {
  const query = new URLSearchParams(location.search);
  const shown = ["all", "time", "follow", "stream", "q", "x", "level", "logger", "field", "since", "until", "rate"];
  for (const name of [...query.keys()]) if (!shown.includes(name)) query.delete(name);
  return query;
}

/** Goes to the line that the address names: it may come after the browser has looked for it. */
function seekLine(rows) {
  const name = location.hash.slice(1);
  if (!/^L\d+$/.test(name)) return;
  let found = document.querySelector(":target");
  rows.onNews(() => {
    if (found?.isConnected) return;
    found = byId(name);
    if (found) location.replace(`#${name}`);
  });
}

/** The page that has the line that the address names, where the server has begun this one further down by itself. */
function pageOfLine(run, first, query, asked) {
  const line = Number(/^#L([1-9]\d*)$/.exec(location.hash)?.[1] ?? first);
  const narrowed = ["from", "tail", "stream", "q", "x", "level", "logger", "field", "since", "until"];
  if (line >= first || narrowed.some((name) => asked.get(name))) return null;
  const address = new URL(run);
  address.search = query;
  address.searchParams.set("from", Math.max(1, line + 1 - STEP));
  address.hash = location.hash;
  return address.href;
}

function enhanceRun(lines) {
  const run = new URL(document.querySelector("header a.id").href);
  const [query, asked] = [viewQuery(), new URLSearchParams(location.search)];
  const first = Number(byId("tools").dataset.first);
  const elsewhere = pageOfLine(run, first, query, asked);
  if (elsewhere) return location.replace(elsewhere);
  addEventListener("hashchange", () => {
    const page = pageOfLine(run, first, query, asked);
    if (page) location.replace(page);
  });
  if (location.pathname !== run.pathname) {
    const shown = query.toString() ? `?${query}` : "";
    history.replaceState(history.state, "", run.pathname + shown + location.hash);
  }
  document.body.classList.add("scripted");
  byId("tools").hidden = false;
  [lines.role, lines.ariaLabel] = ["main", "Output"];
  const rows = new Rows(lines, run.href);
  const status = new Status();
  const follower = new Follower(rows, status);
  const bell = new Bell(status);
  new Filter(rows);
  seekLine(rows);
  const cancel = document.querySelector("form.cancel");
  if (cancel) cancelInPlace(cancel, status);
  new Stream(rows, status, follower, query).ended.then((end) => {
    status.end(end);
    if (cancel) cancel.hidden = true;
    follower.show();
    follower.keepUp();
    bell.ring(end.firstChild.data.trim());
  });
}

/** The list of jobs, filtered while one types; the form around the box does the same without this. */
function enhanceList(input) {
  const items = [...document.querySelectorAll(".jobs > li")];
  const groups = new Set(items.map((item) => item.closest("section")));
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const item of items) {
      const group = item.closest("section")?.querySelector(":scope > h2")?.textContent ?? "";
      const text = `${group}\n${item.querySelector(".what").textContent}`.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of groups) if (group) group.hidden = !group.querySelector(".jobs > li:not([hidden])");
  };
  input.addEventListener("input", filter);
  filter();
}

const body = await appeared(() => document.body);
if (body?.classList.contains("run")) {
  const lines = await appeared(() => byId("lines"));
  if (lines) enhanceRun(lines);
} else {
  const input = await appeared(() => document.querySelector("main input[name=filter]"));
  await appeared(() => document.readyState !== "loading");
  if (input?.defaultValue === "") enhanceList(input); // else the server has left out jobs that other words would show
}
