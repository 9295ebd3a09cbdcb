#include "demo/page.h"

namespace weir::demo {
namespace {

constexpr std::string_view kPage = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>weir demo</title>
<style>
:root { --back: #f7f8f9; --card: #fff; --text: #1c2329; --soft: #5a6772; --line: #d9dfe4; --link: #0b6478; --good: #1a7f45; --bad: #b3372b; }
@media (prefers-color-scheme: dark) {
  :root { --back: #12171b; --card: #1b2228; --text: #e3e8ec; --soft: #9aa7b2; --line: #313b44; --link: #63c3d9; --good: #5fcf8d; --bad: #f08b7f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1rem 3rem; background: var(--back); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.6rem; }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
p { margin: 0 0 .75rem; }
.soft { color: var(--soft); }
section { margin-top: 1rem; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
a { color: var(--link); }
dl { margin: 0; }
dt { margin-top: .6rem; }
dd { margin: 0; color: var(--soft); }
code, pre, output { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; overflow-wrap: anywhere; }
output { display: block; min-height: 1.6em; margin-top: .6rem; white-space: pre-wrap; }
button, input { min-height: 2.6rem; padding: .3rem .9rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--back); color: inherit; font: inherit; }
button { border-color: var(--link); color: var(--link); cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
input { flex: 1; min-width: 8rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem; }
.good { color: var(--good); }
.bad { color: var(--bad); }
</style>
</head>
<body>
<h1>weir demo</h1>
<p class="soft">You reached a small sample app through weir. The app blocks and spends a thread on each connection.
Where an answer is <code>application/problem+json</code> it is weir that answered, and its body says why.
One client may ask 300 times in any minute; every answer says in its <code>RateLimit</code> field what is left.</p>

<section>
<h2>A burst</h2>
<p>Sends 40 requests at once to <code>/slow?ms=200</code>. weir lets 30 of one client through in any 10 seconds and
refuses the rest with 429: the app never sees those. Six go out at a time, as many as a browser opens connections.</p>
<button id="burst">Send 40 requests</button>
<output id="burst-out" aria-live="polite"></output>
</section>

<section>
<h2>A stream</h2>
<p>Server-sent events from <code>/stream</code>, one each 300 ms. They come one by one: weir does not hold them back.</p>
<button id="stream">Start</button>
<output id="stream-out" aria-live="polite"></output>
</section>

<section>
<h2>A WebSocket</h2>
<p><code>/ws</code> sends back what you send.</p>
<form id="socket">
<input id="socket-text" value="hello" aria-label="Message" autocomplete="off" maxlength="1000">
<button>Send</button>
</form>
<output id="socket-out" aria-live="polite"></output>
</section>

<section>
<h2>All routes</h2>
<dl>
<dt><a href="/fast">/fast</a></dt><dd>answers at once</dd>
<dt><a href="/slow?ms=800">/slow?ms=800</a></dt><dd>answers after so many milliseconds, at most 10,000</dd>
<dt><a href="/fail">/fail</a></dt><dd>answers 500</dd>
<dt><a href="/crash">/crash</a></dt><dd>hangs up without an answer; weir makes a 502 of it</dd>
<dt><a href="/stream">/stream</a></dt><dd>20 server-sent events</dd>
<dt><a href="/large?kib=1024">/large?kib=1024</a></dt><dd>a long answer, at most 65,536 KiB</dd>
<dt><a href="/echo">/echo</a></dt><dd>the request as the app saw it, with the fields weir added</dd>
<dt><a href="/upload">/upload</a></dt><dd>POST or PUT: counts the bytes of a body and answers their SHA-256. Try <code>curl --data-binary @FILE <span class="origin"></span>/upload</code></dd>
<dt><a href="/ws">/ws</a></dt><dd>WebSocket echo; a plain request gets 426</dd>
<dt><a href="/health">/health</a></dt><dd>what weir asks to know whether the app is up</dd>
</dl>
</section>

<script>
"use strict";
const element = id => document.getElementById(id);
for (const span of document.querySelectorAll(".origin")) span.textContent = location.origin;

element("burst").onclick = async () => {
  const button = element("burst"), out = element("burst-out");
  button.disabled = true;
  const counts = {};
  let slowest = 0;
  const show = () => {
    out.replaceChildren(...Object.keys(counts).sort().map(key => {
      const line = document.createElement("div");
      line.className = key.startsWith("2") ? "good" : "bad";
      line.textContent = key + ": " + counts[key];
      return line;
    }), "slowest answer: " + Math.round(slowest) + " ms");
  };
  await Promise.all(Array.from({length: 40}, async (_, i) => {
    const begin = performance.now();
    let key = "no answer";
    try {
      const answer = await fetch("/slow?ms=200&n=" + i, {cache: "no-store"});
      const body = await answer.text();
      key = String(answer.status);
      try {
        const problem = JSON.parse(body);
        key += " " + problem.reason + (problem.rule ? ", rule " + problem.rule : "");
        if (problem.retry_after) key += ", again in " + problem.retry_after + " s";
      } catch { /* the app's own answer is plain text */ }
    } catch { /* counted as no answer */ }
    counts[key] = (counts[key] || 0) + 1;
    slowest = Math.max(slowest, performance.now() - begin);
    show();
  }));
  button.disabled = false;
};

let events = null;
element("stream").onclick = () => {
  const button = element("stream"), out = element("stream-out");
  const stop = () => { events.close(); events = null; button.textContent = "Start"; };
  if (events) return stop();
  button.textContent = "Stop";
  out.textContent = "";
  events = new EventSource("/stream");
  events.onmessage = event => {
    out.textContent = event.data + " " + "\u2588".repeat(Number(event.lastEventId));
    if (event.lastEventId === "20") stop();
  };
  events.onerror = () => { out.textContent += "\nthe stream was refused or broke off"; stop(); };
};

let socket = null;
element("socket").onsubmit = event => {
  event.preventDefault();
  const out = element("socket-out");
  const say = text => { out.textContent = (text + "\n" + out.textContent).slice(0, 2000); };
  const send = () => { socket.sentAt = performance.now(); socket.send(element("socket-text").value); };
  if (socket) {
    if (socket.readyState === WebSocket.OPEN) send();
    return;
  }
  socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws");
  socket.onopen = send;
  socket.onmessage = message => say("echo after " + (performance.now() - socket.sentAt).toFixed(1) + " ms: " + message.data);
  socket.onclose = () => { say("closed"); socket = null; };
};
</script>
</body>
</html>
)html";

}  // namespace

std::string_view page() { return kPage; }

}  // namespace weir::demo
