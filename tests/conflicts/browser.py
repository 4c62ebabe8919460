"""A headless Chromium that opens one page, lets a script of ours act in it, and tells what the script found."""

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

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((found for found in map(shutil.which, NAMES) if found), None)
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
const texts = (query) => all(query).map((one) => one.textContent);
const rows = () => texts("#rows th");
const heads = () => all("#heads th:not(.sortable)").map((one) => one.querySelector(".base").textContent);
const type = (text) => {
  at("search").value = text;
  at("search").dispatchEvent(new Event("input", { bubbles: true }));
};
const press = (key, more) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, ...more }),
);
const cell = (name, app) => all("#rows tr")
  .find((row) => row.cells[0].textContent === name).cells[heads().indexOf(app) + 3];
const tip = () => at("tip").hidden ? null : [...at("tip").children].map((one) => one.textContent);
const wait = (time) => new Promise((done) => setTimeout(done, time));
(async () => {
  let found;
  try { found = await (async () => { %s })(); } catch (error) { errors.push(String(error)); }
  const requests = performance.getEntriesByType("resource").map((one) => one.name);
  const report = JSON.stringify({ found, errors, blocked, requests });
  if (parent !== window) { parent.postMessage(report, "*"); return; }
  const place = document.createElement("pre");
  place.id = "findings";
  place.textContent = report;
  document.body.append(place);
})();
</script>
"""
FRAME = """<!doctype html><body style="margin:0"><script>
addEventListener("message", (event) => {
  const place = document.createElement("pre");
  place.id = "findings";
  place.textContent = event.data;
  document.body.append(place);
});
const frame = document.createElement("iframe");
frame.width = %d; frame.height = 800; frame.style.border = "0"; frame.srcdoc = %s;
document.body.append(frame);
</script>"""


@dataclass(frozen=True)
class Seen:
    """What the script returned, and what went wrong around it."""

    found: Any
    errors: list[str]
    blocked: list[str]
    requests: list[str]
    console: list[str]


def look(folder: Path, document: str, script: str, *options: str, width: int | None = None) -> Seen:
    """Return what *script* returns in *document*, in a frame of *width* pixels if one is given.

    A window of Chromium is never narrower than 500 pixels, a frame is as narrow as one likes.
    """
    assert "</head>" in document
    text = document.replace("</head>", f"{PROBE}</head>", 1).replace("</body>", HELPERS % script + "</body>")
    if width is not None:
        text = FRAME % (width, json.dumps(text).replace("<", "\\u003c"))
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    ran = chromium(folder, "--dump-dom", *options, path.as_uri())
    place = re.search(r'<pre id="findings">(.*?)</pre>', ran.stdout, re.DOTALL)
    assert place, ran.stdout[-2000:] + ran.stderr[-2000:]
    report = json.loads(html.unescape(place[1]))
    console = [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    return Seen(**{"found": None, **report}, console=console)


def chromium(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Chromium with a profile of its own below *folder*."""
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
        f"--user-data-dir={folder / 'profile'}",
        "--window-size=1200,900",
        *arguments,
    ]
    home = {**os.environ, "HOME": str(folder)}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", timeout=100, check=True, env=home
    )
