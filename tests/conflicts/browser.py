"""Opens a page in headless Chromium, runs a script in it, and returns the result of the script."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for path in map(shutil.which, PROGRAMS) if path), None)
PROBE = """
<script>
const errors = [], blocked = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.blockedURI));
</script>
"""
HELPERS = """
<script>
const all = (query) => [...document.querySelectorAll(query)];
const texts = (query) => all(query).map((element) => element.textContent);
const rows = () => texts("#rows th");
const heads = () => all("#heads th:not(.sortable)").map((head) => head.querySelector(".base").textContent);
const type = (text) => {
  byId("search").value = text;
  byId("search").dispatchEvent(new Event("input", { bubbles: true }));
};
const press = (key, more) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, ...more }),
);
const cell = (name, app) => all("#rows tr")
  .find((row) => row.cells[0].textContent === name).cells[heads().indexOf(app) + 3];
const tip = () => byId("tip").hidden ? null : [...byId("tip").children].map((element) => element.textContent);
const wait = (time) => new Promise((done) => setTimeout(done, time));
(async () => {
  let result;
  try { result = await (async () => { %s })(); } catch (error) { errors.push(String(error)); }
  const requests = performance.getEntriesByType("resource").map((entry) => entry.name);
  const report = JSON.stringify({ result, errors, blocked, requests });
  if (parent !== window) { parent.postMessage(report, "*"); return; }
  const element = document.createElement("pre");
  element.id = "report";
  element.textContent = report;
  document.body.append(element);
})();
</script>
"""
FRAME = """<!doctype html><body style="margin:0"><script>
addEventListener("message", (event) => {
  const element = document.createElement("pre");
  element.id = "report";
  element.textContent = event.data;
  document.body.append(element);
});
const frame = document.createElement("iframe");
frame.width = %d; frame.height = 800; frame.style.border = "0"; frame.srcdoc = %s;
document.body.append(frame);
</script>"""


@dataclass(frozen=True)
class Report:
    """The result of the script, and the errors that occurred."""

    result: Any
    errors: list[str]
    blocked: list[str]
    requests: list[str]
    console: list[str]


def run_in_page(directory: Path, document: str, script: str, *options: str, width: int | None = None) -> Report:
    """Run *script* in *document*, in a frame of *width* pixels if it is given, and return its report.

    A window of Chromium is at least 500 pixels wide; a frame can be narrower.
    """
    assert "</head>" in document
    text = document.replace("</head>", f"{PROBE}</head>", 1).replace("</body>", HELPERS % script + "</body>")
    if width is not None:
        text = FRAME % (width, json.dumps(text).replace("<", "\\u003c"))
    path = directory / "page.html"
    path.write_text(text, encoding="utf-8")
    done = chromium(directory, "--dump-dom", *options, path.as_uri())
    report = re.search(r'<pre id="report">(.*?)</pre>', done.stdout, re.DOTALL)
    assert report, done.stdout[-2000:] + done.stderr[-2000:]
    values = json.loads(html.unescape(report[1]))
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Report(**{"result": None, **values}, console=console)


def chromium(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Chromium with a profile below *directory*, and return its output."""
    assert CHROMIUM
    command = [
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--virtual-time-budget=3000",
        f"--user-data-dir={directory / 'profile'}",
        "--window-size=1200,900",
        *arguments,
    ]
    home = {**os.environ, "HOME": str(directory)}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=100, check=True, env=home
    )
