# ruff: noqa: RUF001 - the dash is what the page shows
from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from browser import CHROMIUM, look
from example import PYTHONS, company_pins, pin

from isolate.conflicts.page import embedded, page
from isolate.conflicts.pins import Pin, find_conflicts

in_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to look at the page with"),
]
HOSTILE = "</script><img src=x onerror=hacked()>"
NASTY = (HOSTILE, "<!--<script>", "]]>", "&lt;b&gt;", "{{data}}", "{{title}}", "\u2028", "$&", "\\", "ä”")


class Reader(HTMLParser):
    """The elements of a document, and the text of those that hold scripts."""

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
def company() -> str:
    return page(find_conflicts(company_pins(), PYTHONS), title="Our packages")


@pytest.fixture
def looked(tmp_path, company):
    """Return a function that runs a script in a page, by default that of the company, in which nothing may go wrong."""

    def looked(script, *options, document=company, width=None):
        seen = look(tmp_path, document, script, *options, width=width)
        assert (seen.errors, seen.blocked, seen.requests, seen.console) == ([], [], [], [])
        return seen.found

    return looked


def test_the_page_refers_to_nothing_outside_itself(company):
    for tag, attributes in read(company).tags:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form")
        assert "src" not in attributes, tag
        assert attributes.get("href", "data:,") == "data:,"
    assert not re.search(r"https?://|@import|url\(|innerHTML|document\.write|eval\(", company)


def test_the_page_says_its_language_and_its_title(company):
    assert '<html lang="en">' in company
    assert "<title>Our packages</title>" in company


@pytest.mark.parametrize("text", NASTY)
def test_no_text_ends_the_script_that_holds_it(text):
    data = embedded([text])
    assert not set("<>&") & set(data)
    assert data.isascii()
    assert json.loads(data) == [text]


def test_hostile_names_add_no_elements_to_the_document(company):
    pins = [
        Pin(application=text, name=text, version=f"{number}{text}", declared=text, through=(text, text))
        for text in NASTY
        for number in range(1)
    ]
    reader = read(page(find_conflicts(pins, {HOSTILE: HOSTILE}), title=HOSTILE))
    assert [tag for tag, _ in reader.tags] == [tag for tag, _ in read(company).tags]
    assert any(json.loads(text)["title"] == HOSTILE for text in reader.texts if text.startswith("{"))


def test_a_title_that_no_encoding_knows_does_not_stop_the_page():
    assert "<title>?</title>" in page(find_conflicts([], {}), title="\udcff")


class TestInTheBrowser:
    pytestmark = in_browser

    def test_only_what_collides_is_shown_at_first(self, looked):
        found = looked("""return {rows: rows(), heads: heads(), only: at("only").checked,
            status: at("status").textContent,
            first: all("#rows tr")[0].innerText, groups: texts("#groups > li"), title: document.title,
            summary: at("summary").textContent, pythons: at("pythons").textContent}""")
        assert found["rows"] == ["django", "numpy", "celery", "kombu", "pandas", "pydantic"]
        assert found["heads"] == ["accounts", "mail", "search", "shop", "reports", "import-catalogue"]
        assert found["only"] is True
        assert found["status"] == "6 of 23 packages in 6 of 6 applications"
        assert found["first"].split() == ["django", "4", "4", "4.2.14", "–", "–", "5.0.6", "3.2.25", "2.2.28"]
        assert len(found["groups"]) == 4
        assert found["summary"].endswith("all 6 applications fit in 4 environments.")
        assert found["pythons"].endswith("3.12 in 4 applications, 3.10 in 1 application.")

    def test_every_version_is_shown_without_only_collisions(self, looked):
        found = looked('at("only").click(); return {rows: rows(), idna: all("#rows tr")[11].innerText}')
        assert len(found["rows"]) == 23
        assert found["idna"].split() == ["idna", "1", "6", *["3.7"] * 6]

    def test_only_collisions_is_off_where_nothing_collides(self, looked):
        document = page(find_conflicts([pin("a", "idna", "3")], {"a": ""}), title="One")
        found = looked("return [at('only').checked, rows(), at('pythons').hidden]", document=document)
        assert found == [False, ["idna"], True]

    def test_a_page_about_nothing_says_so(self, looked):
        found = looked(
            "return [at('status').textContent, at('frame').hidden]", document=page(find_conflicts([], {}), title="None")
        )
        assert found == ["No application pins a package.", True]

    def test_search_finds_packages_and_applications(self, looked):
        found = looked("""
            const found = {};
            for (const text of ["PAND", "shop", "django shop", "lxml", "search", "/", "nowhere", "reports numpy"]) {
                type(text); found[text] = [rows(), heads(), at("status").textContent];
            }
            type(""); found[""] = [rows().length, heads().length, ""];
            return found""")
        assert found["PAND"][:2] == [["pandas"], ["reports", "import-catalogue"]]
        assert found["shop"][:2] == [["django", "celery", "kombu"], ["shop"]]
        assert found["django shop"][:2] == [["django"], ["shop"]]
        assert found["reports numpy"][:2] == [["numpy"], ["reports"]]
        assert found["search"][:2] == [["numpy", "pydantic"], ["search"]]
        assert found["lxml"][0] == []
        assert found["lxml"][2] == "Nothing of this collides. Without “only collisions” there is more."
        assert found["nowhere"] == [[], [], "Nothing matches this search."]
        assert len(found["/"][0]) == 6
        assert found[""][:2] == [6, 6]

    def test_an_application_that_is_called_like_a_package_is_found_with_a_slash(self, looked):
        pins = [
            pin("a/api", "fastapi", "1"),
            pin("b", "fastapi", "2"),
            pin("a/api", "idna", "1"),
            pin("b", "idna", "2"),
        ]
        found = looked(
            'type("api"); const both = [rows(), heads(), at("status").textContent];'
            ' type("/api"); return [both, [rows(), heads()]]',
            document=page(find_conflicts(pins, {}), title="Api"),
        )
        assert found[0][:2] == [["fastapi"], ["api", "b"]]
        assert found[0][2].endswith("To search applications for it, write /api")
        assert found[1] == [["fastapi", "idna"], ["api"]]

    def test_rows_are_sorted_by_their_heads(self, looked):
        found = looked("""
            const sorts = () => all("#heads th.sortable").map((one) => one.getAttribute("aria-sort"));
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

    def test_applications_are_ordered_by_group_or_by_name(self, looked):
        found = looked("""at("order").value = "name"; at("order").dispatchEvent(new Event("input")); return heads()""")
        assert found == ["reports", "accounts", "search", "shop", "import-catalogue", "mail"]

    def test_the_reason_is_told_on_focus_and_escape_hides_it(self, looked):
        found = looked("""
            const td = cell("kombu", "mail"), found = [tip()];
            td.focus(); found.push(tip(), td.getAttribute("aria-describedby"));
            press("Escape"); found.push(tip(), document.activeElement === td, td.getAttribute("aria-describedby"));
            cell("kombu", "shop").focus(); found.push(tip());
            cell("kombu", "accounts").focus(); found.push(tip());
            cell("kombu", "shop").focus(); document.activeElement.blur(); found.push(tip());
            return found""")
        why = ["through celery, from celery>=1 (pyproject.toml:7)"]
        assert found[:3] == [None, ["kombu 5.2.4", "workers/mail", *why], "tip"]
        assert found[3:6] == [None, True, None]
        assert found[6:] == [["kombu 5.3.7", "services/shop", *why], None, None]

    def test_the_reason_is_told_on_hover_and_can_be_pointed_at(self, looked):
        found = looked("""
            const over = (one, kind) => one.dispatchEvent(new MouseEvent(kind, { bubbles: kind !== "mouseenter" }));
            const td = cell("django", "reports"), found = [];
            over(td, "mouseover"); found.push(tip());
            over(td, "mouseout"); over(at("tip"), "mouseenter"); await wait(400); found.push(tip() !== null);
            over(at("tip"), "mouseleave"); await wait(400); found.push(tip());
            over(td, "mouseover"); press("Escape"); found.push(tip());
            return found""")
        assert found == [["django 3.2.25", "reports", "direct, from django>=1 (pyproject.toml:7)"], True, None, None]

    def test_all_reasons_are_told(self, looked):
        pins = [pin("a", "django", "1"), pin("b", "django", "2")]
        pins.append(Pin(application="a", name="django", version="1", declared="x (y:1)", through=("forms",)))
        document = page(find_conflicts(pins, {}), title="Two reasons")
        assert looked('cell("django", "a").focus(); return tip().slice(2)', document=document) == [
            "direct, from django>=1 (pyproject.toml:7)",
            "through forms, from x (y:1)",
        ]

    def test_arrow_keys_move_between_cells_and_one_cell_is_in_the_order_of_tabs(self, looked):
        found = looked("""
            const here = () => document.activeElement;
            const place = () => [here().parentNode.rowIndex - 1, here().cellIndex - 3];
            const found = [];
            document.querySelector('#rows td[tabindex="0"]').focus(); found.push(place());
            const keys = ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "End",
                "ArrowRight", "PageDown", "ArrowDown", "Home", "ArrowLeft"];
            for (const key of keys) { press(key); found.push(place()); }
            press("End", { ctrlKey: true }); found.push(place());
            press("Home", { ctrlKey: true }); found.push(place());
            press("ArrowDown");
            return [found, all('#rows [tabindex="0"]').map((one) => one === document.activeElement)]""")
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

    def test_hostile_names_are_text(self, looked):
        pins = [
            Pin(application=f"{text}{number}", name=text, version=f"{number}{text}", declared=text, through=(text,))
            for text in NASTY
            for number in range(2)
        ]
        document = page(find_conflicts(pins, {f"{HOSTILE}0": HOSTILE}), title=HOSTILE)
        found = looked(
            """document.querySelector("#rows td.v0").focus();
            return [rows(), all("img").length, document.title, at("title").textContent, tip().length]""",
            document=document,
        )
        assert found == [sorted(NASTY), 0, HOSTILE, HOSTILE, 3]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_there_is_contrast_in_light_and_in_dark_and_versions_differ_in_more_than_colour(self, looked, scheme):
        found = looked(
            CONTRAST,
            f"--blink-settings=preferredColorScheme={int(scheme == 'light')}",
            document=page(many(10), title="X"),
        )
        assert found["dark"] is (scheme == "dark")
        assert len(set(found["colours"])) == 8
        assert min(found["contrasts"]) > 7
        assert min(found["quiet"]) > 4.5
        assert len(set(found["texts"])) == 10

    @pytest.mark.parametrize("width", [320, 360, 800])
    def test_only_the_table_is_wider_than_a_phone(self, looked, width):
        found = looked(
            """at("only").click(); cell("django", "import-catalogue").focus(); await wait(50);
            const frame = at("frame"), tip = at("tip").getBoundingClientRect(), name = all("#rows th")[0];
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

    def test_heads_stay_in_sight_while_rows_scroll(self, looked):
        found = looked(
            """at("frame").scrollTop = 1000;
            const frame = at("frame").getBoundingClientRect();
            return [at("frame").scrollTop, all("#heads th")[3].getBoundingClientRect().top - frame.top]""",
            document=page(many(4, packages=100), title="Long"),
        )
        assert found[0] > 500
        assert found[1] <= 1

    def test_a_thousand_applications_come_in_parts(self, looked):
        found = looked(
            """document.querySelector("[data-sort=name]").click();
            const next = (id) => [...at(id).querySelectorAll("button")].find((one) => one.textContent === "Next");
            const found = [at("columns").innerText, at("pages").innerText, all("#rows td").length];
            next("columns").click(); next("pages").click();
            found.push(at("columns").innerText, rows()[0], document.activeElement.textContent);
            found.push(at("groups").children.length);
            type("a0777"); found.push(heads(), at("columns").hidden);
            return found""",
            document=page(many(1000, packages=300, each=40), title="Many"),
        )
        assert "Applications 1 to 40 of 1,000" in found[0]
        assert "Packages 1 to 100 of 300" in found[1]
        assert found[2] == 100 * 42
        assert "Applications 41 to 80 of 1,000" in found[3]
        assert found[4:9] == ["p100", "Next", 25, ["a0777"], True]


CONTRAST = """
const light = (colour) => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).slice(0, 3)
        .map((one) => one / 255).map((one) => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
    return .2126 * red + .7152 * green + .0722 * blue;
};
const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + .05) / (dark + .05);
};
const cells = all("#rows tr")[0].querySelectorAll("td.cell"), page = getComputedStyle(document.body);
const styles = [...cells].map((one) => getComputedStyle(one));
return {
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    colours: styles.map((one) => one.backgroundColor),
    texts: [...cells].map((one) => one.textContent),
    contrasts: [ratio(page.color, page.backgroundColor), ...styles.map((one) => ratio(one.color, one.backgroundColor))],
    quiet: all(".quiet").map((one) => ratio(getComputedStyle(one).color, page.backgroundColor)),
};
"""


def many(applications: int, packages: int = 1, each: int | None = None):
    """Return applications of which no two agree on any package, with *each* of them, or else all, in an application."""
    return find_conflicts(
        [
            pin(f"a{number:04}", f"p{(7 * number + name) % packages:03}", f"{number}.{name}")
            for number in range(applications)
            for name in range(each or packages)
        ],
        {},
    )
