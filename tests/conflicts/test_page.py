# ruff: noqa: RUF001 - the dash is what the page shows
from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from browser import CHROMIUM, run_in_page
from example import PYTHONS, example_pins, pin

from isolate.conflicts.page import json_for_script, render_page
from isolate.conflicts.pins import Pin, find_conflicts

in_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]
HOSTILE = "</script><img src=x onerror=hacked()>"
NASTY = (HOSTILE, "<!--<script>", "]]>", "&lt;b&gt;", "{{data}}", "{{title}}", "\u2028", "$&", "\\", "ä”")


class Reader(HTMLParser):
    """The elements of a document, and the texts of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.texts.append(data)


def read(document: str) -> Reader:
    reader = Reader()
    reader.feed(document)
    return reader


@pytest.fixture(scope="module")
def document() -> str:
    return render_page(find_conflicts(example_pins(), PYTHONS), title="Our packages")


@pytest.fixture
def run_script(tmp_path, document):
    """Return a function that runs a script in a page, by default the example, and checks that no error occurs."""

    def run(script, *options, document=document, width=None):
        report = run_in_page(tmp_path, document, script, *options, width=width)
        assert (report.errors, report.blocked, report.requests, report.console) == ([], [], [], [])
        return report.result

    return run


def test_the_page_refers_to_nothing_outside_itself(document):
    for tag, attributes in read(document).tags:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form")
        assert "src" not in attributes, tag
        assert attributes.get("href", "data:,") == "data:,"
    assert not re.search(r"https?://|@import|url\(|innerHTML|document\.write|eval\(", document)


def test_the_page_has_a_language_and_a_title(document):
    assert '<html lang="en">' in document
    assert "<title>Our packages</title>" in document


@pytest.mark.parametrize("text", NASTY)
def test_no_text_ends_the_script_that_holds_it(text):
    data = json_for_script([text])
    assert not set("<>&") & set(data)
    assert data.isascii()
    assert json.loads(data) == [text]


def test_hostile_names_add_no_elements_to_the_document(document):
    pins = [
        Pin(application=text, name=text, version=f"{number}{text}", declared=text, through=(text, text))
        for text in NASTY
        for number in range(1)
    ]
    reader = read(render_page(find_conflicts(pins, {HOSTILE: HOSTILE}), title=HOSTILE))
    assert [tag for tag, _ in reader.tags] == [tag for tag, _ in read(document).tags]
    assert any(json.loads(text)["title"] == HOSTILE for text in reader.texts if text.startswith("{"))


def test_a_title_that_cannot_be_encoded_is_replaced():
    assert "<title>?</title>" in render_page(find_conflicts([], {}), title="\udcff")


class TestInTheBrowser:
    pytestmark = in_browser

    def test_only_conflicts_are_shown_at_first(self, run_script):
        found = run_script("""return {rows: rows(), heads: heads(), only: byId("only").checked,
            status: byId("status").textContent,
            first: all("#rows tr")[0].innerText, groups: texts("#groups > li"), title: document.title,
            summary: byId("summary").textContent, pythons: byId("pythons").textContent}""")
        assert found["rows"] == ["django", "numpy", "celery", "kombu", "pandas", "pydantic"]
        assert found["heads"] == ["accounts", "mail", "search", "shop", "reports", "import-catalogue"]
        assert found["only"] is True
        assert found["status"] == "6 of 23 packages in 6 of 6 applications"
        assert found["first"].split() == ["django", "4", "4", "4.2.14", "–", "–", "5.0.6", "3.2.25", "2.2.28"]
        assert len(found["groups"]) == 4
        assert found["summary"].endswith("all 6 applications fit in 4 environments.")
        assert found["pythons"].endswith("3.12 in 4 applications, 3.10 in 1 application.")

    def test_every_version_is_shown_without_conflicts_only(self, run_script):
        found = run_script('byId("only").click(); return {rows: rows(), idna: all("#rows tr")[11].innerText}')
        assert len(found["rows"]) == 23
        assert found["idna"].split() == ["idna", "1", "6", *["3.7"] * 6]

    def test_conflicts_only_is_off_if_there_are_none(self, run_script):
        document = render_page(find_conflicts([pin("a", "idna", "3")], {"a": ""}), title="One")
        found = run_script("return [byId('only').checked, rows(), byId('pythons').hidden]", document=document)
        assert found == [False, ["idna"], True]

    def test_a_page_without_pins_says_so(self, run_script):
        found = run_script(
            "return [byId('status').textContent, byId('frame').hidden]",
            document=render_page(find_conflicts([], {}), title="None"),
        )
        assert found == ["No application pins any package.", True]

    def test_search_finds_packages_and_applications(self, run_script):
        found = run_script("""
            const found = {};
            for (const text of ["PAND", "shop", "django shop", "lxml", "search", "/", "nowhere", "reports numpy"]) {
                type(text); found[text] = [rows(), heads(), byId("status").textContent];
            }
            type(""); found[""] = [rows().length, heads().length, ""];
            return found""")
        assert found["PAND"][:2] == [["pandas"], ["reports", "import-catalogue"]]
        assert found["shop"][:2] == [["django", "celery", "kombu"], ["shop"]]
        assert found["django shop"][:2] == [["django"], ["shop"]]
        assert found["reports numpy"][:2] == [["numpy"], ["reports"]]
        assert found["search"][:2] == [["numpy", "pydantic"], ["search"]]
        assert found["lxml"][0] == []
        assert found["lxml"][2] == "No conflicts match. Clear “conflicts only” to see all matches."
        assert found["nowhere"] == [[], [], "No matches."]
        assert len(found["/"][0]) == 6
        assert found[""][:2] == [6, 6]

    def test_a_slash_finds_an_application_with_the_name_of_a_package(self, run_script):
        pins = [
            pin("a/api", "fastapi", "1"),
            pin("b", "fastapi", "2"),
            pin("a/api", "idna", "1"),
            pin("b", "idna", "2"),
        ]
        found = run_script(
            'type("api"); const both = [rows(), heads(), byId("status").textContent];'
            ' type("/api"); return [both, [rows(), heads()]]',
            document=render_page(find_conflicts(pins, {}), title="Api"),
        )
        assert found[0][:2] == [["fastapi"], ["api", "b"]]
        assert found[0][2].endswith("To search applications only, type /api")
        assert found[1] == [["fastapi", "idna"], ["api"]]

    def test_a_click_on_a_heading_sorts_the_rows(self, run_script):
        found = run_script("""
            const sorts = () => all("#heads th.sortable").map((element) => element.getAttribute("aria-sort"));
            const found = [[rows(), sorts()]];
            for (const key of ["name", "name", "applications", "versions", "versions"]) {
                document.querySelector(`[data-sort=${key}]`).click();
                found.push([rows(), sorts(), document.activeElement.dataset.sort]);
            }
            return found""")
        names = ["celery", "django", "kombu", "numpy", "pandas", "pydantic"]
        assert found[0][1] == ["none", "descending", "none"]
        assert found[1] == [names, ["ascending", "none", "none"], "name"]
        assert found[2] == [names[::-1], ["descending", "none", "none"], "name"]
        assert found[3][0] == ["django", "numpy", "pydantic", "celery", "kombu", "pandas"]
        assert found[3][1:] == [["none", "none", "descending"], "applications"]
        assert found[4][0] == ["django", "numpy", "celery", "kombu", "pandas", "pydantic"]
        assert found[5][0] == ["celery", "kombu", "pandas", "pydantic", "numpy", "django"]
        assert found[5][1:] == [["none", "ascending", "none"], "versions"]

    def test_applications_are_ordered_by_group_or_by_name(self, run_script):
        found = run_script(
            """byId("order").value = "name"; byId("order").dispatchEvent(new Event("input")); return heads()"""
        )
        assert found == ["reports", "accounts", "search", "shop", "import-catalogue", "mail"]

    def test_the_reason_is_shown_on_focus_and_escape_hides_it(self, run_script):
        found = run_script("""
            const td = cell("kombu", "mail"), found = [tip()];
            td.focus(); found.push(tip(), td.getAttribute("aria-describedby"));
            press("Escape"); found.push(tip(), document.activeElement === td, td.getAttribute("aria-describedby"));
            cell("kombu", "shop").focus(); found.push(tip());
            cell("kombu", "accounts").focus(); found.push(tip());
            cell("kombu", "shop").focus(); document.activeElement.blur(); found.push(tip());
            return found""")
        why = ["via celery, from celery>=1 (pyproject.toml:7)"]
        assert found[:3] == [None, ["kombu 5.2.4", "workers/mail", *why], "tip"]
        assert found[3:6] == [None, True, None]
        assert found[6:] == [["kombu 5.3.7", "services/shop", *why], None, None]

    def test_the_reason_is_shown_on_hover_and_can_be_pointed_at(self, run_script):
        found = run_script("""
            const fire = (element, kind) => element.dispatchEvent(
                new MouseEvent(kind, { bubbles: kind !== "mouseenter" }));
            const td = cell("django", "reports"), found = [];
            fire(td, "mouseover"); found.push(tip());
            fire(td, "mouseout"); fire(byId("tip"), "mouseenter"); await wait(400); found.push(tip() !== null);
            fire(byId("tip"), "mouseleave"); await wait(400); found.push(tip());
            fire(td, "mouseover"); press("Escape"); found.push(tip());
            return found""")
        assert found == [["django 3.2.25", "reports", "direct, from django>=1 (pyproject.toml:7)"], True, None, None]

    def test_all_reasons_are_shown(self, run_script):
        pins = [pin("a", "django", "1"), pin("b", "django", "2")]
        pins.append(Pin(application="a", name="django", version="1", declared="x (y:1)", through=("forms",)))
        document = render_page(find_conflicts(pins, {}), title="Two reasons")
        assert run_script('cell("django", "a").focus(); return tip().slice(2)', document=document) == [
            "direct, from django>=1 (pyproject.toml:7)",
            "via forms, from x (y:1)",
        ]

    def test_arrow_keys_move_between_cells_and_one_cell_is_in_the_tab_order(self, run_script):
        found = run_script("""
            const focused = () => document.activeElement;
            const place = () => [focused().parentNode.rowIndex - 1, focused().cellIndex - 3];
            const found = [];
            document.querySelector('#rows td[tabindex="0"]').focus(); found.push(place());
            const keys = ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "End",
                "ArrowRight", "PageDown", "ArrowDown", "Home", "ArrowLeft"];
            for (const key of keys) { press(key); found.push(place()); }
            press("End", { ctrlKey: true }); found.push(place());
            press("Home", { ctrlKey: true }); found.push(place());
            press("ArrowDown");
            return [found, all('#rows [tabindex="0"]').map((element) => element === document.activeElement)]""")
        places = [
            (0, 0),
            (0, 1),
            (0, 2),
            (1, 2),
            (1, 1),
            (0, 1),
            (0, 1),
            (0, 5),
            (0, 5),
            (5, 5),
            (5, 5),
            (5, 0),
            (5, 0),
        ]
        assert [tuple(place) for place in found[0]] == [*places, (5, 5), (0, 0)]
        assert found[1] == [True]

    def test_hostile_names_are_text(self, run_script):
        pins = [
            Pin(application=f"{text}{number}", name=text, version=f"{number}{text}", declared=text, through=(text,))
            for text in NASTY
            for number in range(2)
        ]
        document = render_page(find_conflicts(pins, {f"{HOSTILE}0": HOSTILE}), title=HOSTILE)
        found = run_script(
            """document.querySelector("#rows td.v0").focus();
            return [rows(), all("img").length, document.title, byId("title").textContent, tip().length]""",
            document=document,
        )
        assert found == [sorted(NASTY), 0, HOSTILE, HOSTILE, 3]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_contrast_suffices_in_light_and_dark_and_versions_differ_in_more_than_color(self, run_script, scheme):
        found = run_script(
            CONTRAST,
            f"--blink-settings=preferredColorScheme={int(scheme == 'light')}",
            document=render_page(many(10), title="X"),
        )
        assert found["dark"] is (scheme == "dark")
        assert len(set(found["colors"])) == 8
        assert min(found["contrasts"]) > 7
        assert min(found["quiet"]) > 4.5
        assert len(set(found["texts"])) == 10

    @pytest.mark.parametrize("width", [320, 360, 800])
    def test_only_the_table_is_wider_than_a_phone(self, run_script, width):
        found = run_script(
            """byId("only").click(); cell("django", "import-catalogue").focus(); await wait(50);
            const frame = byId("frame"), tip = byId("tip").getBoundingClientRect(), name = all("#rows th")[0];
            const inside = document.activeElement.getBoundingClientRect(), sticky = name.getBoundingClientRect();
            return { width: innerWidth, body: document.documentElement.scrollWidth,
                table: frame.scrollWidth > frame.clientWidth,
                scrolled: frame.scrollLeft, name: sticky.width,
                sticky: sticky.left - frame.getBoundingClientRect().left,
                cell: [inside.left >= sticky.right - 1, inside.right <= frame.getBoundingClientRect().right],
                tip: [tip.left, tip.right] }""",
            width=width,
        )
        assert found["width"] == width
        assert found["body"] <= width
        assert found["tip"][0] >= 0
        assert found["tip"][1] <= width
        assert found["table"] is True
        assert found["scrolled"] > 0
        assert found["sticky"] <= 1
        assert found["name"] < width / 2
        assert found["cell"] == [True, True]

    def test_the_header_stays_visible_while_rows_scroll(self, run_script):
        found = run_script(
            """byId("frame").scrollTop = 1000;
            const frame = byId("frame").getBoundingClientRect();
            return [byId("frame").scrollTop, all("#heads th")[3].getBoundingClientRect().top - frame.top]""",
            document=render_page(many(4, packages=100), title="Long"),
        )
        assert found[0] > 500
        assert found[1] <= 1

    def test_a_thousand_applications_are_paged(self, run_script):
        found = run_script(
            """document.querySelector("[data-sort=name]").click();
            const next = (id) => [...byId(id).querySelectorAll("button")]
                .find((button) => button.textContent === "Next");
            const found = [byId("columns").innerText, byId("pages").innerText, all("#rows td").length];
            next("columns").click(); next("pages").click();
            found.push(byId("columns").innerText, rows()[0], document.activeElement.textContent);
            found.push(byId("groups").children.length);
            type("a0777"); found.push(heads(), byId("columns").hidden);
            return found""",
            document=render_page(many(1000, packages=300, each=40), title="Many"),
        )
        assert "Applications 1 to 40 of 1,000" in found[0]
        assert "Packages 1 to 100 of 300" in found[1]
        assert found[2] == 100 * 42
        assert "Applications 41 to 80 of 1,000" in found[3]
        assert found[4:9] == ["p100", "Next", 25, ["a0777"], True]


CONTRAST = """
const luminance = (color) => {
    const [red, green, blue] = color.match(/[\\d.]+/g).slice(0, 3)
        .map((value) => value / 255).map((value) => value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4);
    return .2126 * red + .7152 * green + .0722 * blue;
};
const ratio = (color, other) => {
    const [dark, bright] = [luminance(color), luminance(other)].sort((a, b) => a - b);
    return (bright + .05) / (dark + .05);
};
const cells = all("#rows tr")[0].querySelectorAll("td.cell"), page = getComputedStyle(document.body);
const styles = [...cells].map((cell) => getComputedStyle(cell));
return {
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    colors: styles.map((style) => style.backgroundColor),
    texts: [...cells].map((element) => element.textContent),
    contrasts: [page, ...styles].map((style) => ratio(style.color, style.backgroundColor)),
    quiet: all(".quiet").map((element) => ratio(getComputedStyle(element).color, page.backgroundColor)),
};
"""


def many(applications: int, packages: int = 1, each: int | None = None):
    """Return applications that all disagree on every package, each with *each* packages (default: all)."""
    return find_conflicts(
        [
            pin(f"a{number:04}", f"p{(7 * number + name) % packages:03}", f"{number}.{name}")
            for number in range(applications)
            for name in range(each or packages)
        ],
        {},
    )
