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
from isolate.output import printable

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


def test_a_title_that_cannot_be_encoded_is_escaped():
    assert "<title>\\udcff</title>" in render_page(find_conflicts([], {}), title="\udcff")


class TestInTheBrowser:
    pytestmark = in_browser

    def test_only_conflicts_are_shown_at_first(self, run_script):
        result = run_script("""return {rows: rows(), heads: heads(), only: byId("only").checked,
            status: byId("status").textContent,
            first: all("#rows tr")[0].innerText, groups: texts("#groups > li"), title: document.title,
            summary: byId("summary").textContent, pythons: byId("pythons").textContent}""")
        assert result["rows"] == ["django", "numpy", "celery", "kombu", "pandas", "pydantic"]
        assert result["heads"] == ["accounts", "mail", "search", "shop", "reports", "import-catalogue"]
        assert result["only"] is True
        assert result["status"] == "6 of 23 packages in 6 of 6 applications"
        assert result["first"].split() == ["django", "4", "4", "4.2.14", "–", "–", "5.0.6", "3.2.25", "2.2.28"]
        assert len(result["groups"]) == 4
        assert result["summary"].endswith("all 6 applications fit in 4 environments.")
        assert result["pythons"].endswith("3.12 in 4 applications, 3.10 in 1 application.")

    def test_every_version_is_shown_without_conflicts_only(self, run_script):
        result = run_script('byId("only").click(); return {rows: rows(), idna: all("#rows tr")[11].innerText}')
        assert len(result["rows"]) == 23
        assert result["idna"].split() == ["idna", "1", "6", *["3.7"] * 6]

    def test_conflicts_only_is_off_if_there_are_none(self, run_script):
        document = render_page(find_conflicts([pin("a", "idna", "3")], {"a": ""}), title="One")
        result = run_script("return [byId('only').checked, rows(), byId('pythons').hidden]", document=document)
        assert result == [False, ["idna"], True]

    def test_a_page_without_pins_says_so(self, run_script):
        result = run_script(
            "return [byId('status').textContent, byId('frame').hidden]",
            document=render_page(find_conflicts([], {}), title="None"),
        )
        assert result == ["No application pins any package.", True]

    def test_search_finds_packages_and_applications(self, run_script):
        result = run_script("""
            const result = {};
            for (const text of ["PAND", "shop", "django shop", "lxml", "search", "/", "nowhere", "reports numpy"]) {
                type(text); result[text] = [rows(), heads(), byId("status").textContent];
            }
            type(""); result[""] = [rows().length, heads().length, ""];
            return result""")
        assert result["PAND"][:2] == [["pandas"], ["reports", "import-catalogue"]]
        assert result["shop"][:2] == [["django", "celery", "kombu"], ["shop"]]
        assert result["django shop"][:2] == [["django"], ["shop"]]
        assert result["reports numpy"][:2] == [["numpy"], ["reports"]]
        assert result["search"][:2] == [["numpy", "pydantic"], ["search"]]
        assert result["lxml"][0] == []
        assert result["lxml"][2] == "No conflicts match. Clear “conflicts only” to see all matches."
        assert result["nowhere"] == [[], [], "No matches."]
        assert len(result["/"][0]) == 6
        assert result[""][:2] == [6, 6]

    def test_a_slash_finds_an_application_with_the_name_of_a_package(self, run_script):
        pins = [
            pin("a/api", "fastapi", "1"),
            pin("b", "fastapi", "2"),
            pin("a/api", "idna", "1"),
            pin("b", "idna", "2"),
        ]
        result = run_script(
            'type("api"); const both = [rows(), heads(), byId("status").textContent];'
            ' type("/api"); return [both, [rows(), heads()]]',
            document=render_page(find_conflicts(pins, {}), title="Api"),
        )
        assert result[0][:2] == [["fastapi"], ["api", "b"]]
        assert result[0][2].endswith("To search applications only, type /api")
        assert result[1] == [["fastapi", "idna"], ["api"]]

    def test_a_click_on_a_heading_sorts_the_rows(self, run_script):
        result = run_script("""
            const sorts = () => all("#heads th.sortable").map((element) => element.getAttribute("aria-sort"));
            const result = [[rows(), sorts()]];
            for (const key of ["name", "name", "applications", "versions", "versions"]) {
                document.querySelector(`[data-sort=${key}]`).click();
                result.push([rows(), sorts(), document.activeElement.dataset.sort]);
            }
            return result""")
        names = ["celery", "django", "kombu", "numpy", "pandas", "pydantic"]
        assert result[0][1] == ["none", "descending", "none"]
        assert result[1] == [names, ["ascending", "none", "none"], "name"]
        assert result[2] == [names[::-1], ["descending", "none", "none"], "name"]
        assert result[3][0] == ["django", "numpy", "pydantic", "celery", "kombu", "pandas"]
        assert result[3][1:] == [["none", "none", "descending"], "applications"]
        assert result[4][0] == ["django", "numpy", "celery", "kombu", "pandas", "pydantic"]
        assert result[5][0] == ["celery", "kombu", "pandas", "pydantic", "numpy", "django"]
        assert result[5][1:] == [["none", "ascending", "none"], "versions"]

    def test_applications_are_ordered_by_group_or_by_name(self, run_script):
        result = run_script(
            """byId("order").value = "name"; byId("order").dispatchEvent(new Event("input")); return heads()"""
        )
        assert result == ["reports", "accounts", "search", "shop", "import-catalogue", "mail"]

    def test_the_reason_is_shown_on_focus_and_escape_hides_it(self, run_script):
        result = run_script("""
            const td = cell("kombu", "mail"), result = [tip()];
            td.focus(); result.push(tip(), td.getAttribute("aria-describedby"));
            press("Escape"); result.push(tip(), document.activeElement === td, td.getAttribute("aria-describedby"));
            cell("kombu", "shop").focus(); result.push(tip());
            cell("kombu", "accounts").focus(); result.push(tip());
            cell("kombu", "shop").focus(); document.activeElement.blur(); result.push(tip());
            return result""")
        why = ["via celery, from celery>=1 (pyproject.toml:7)"]
        assert result[:3] == [None, ["kombu 5.2.4", "workers/mail", *why], "tip"]
        assert result[3:6] == [None, True, None]
        assert result[6:] == [["kombu 5.3.7", "services/shop", *why], None, None]

    def test_the_reason_is_shown_on_hover_and_can_be_pointed_at(self, run_script):
        result = run_script("""
            const fire = (element, kind) => element.dispatchEvent(
                new MouseEvent(kind, { bubbles: kind !== "mouseenter" }));
            const td = cell("django", "reports"), result = [];
            fire(td, "mouseover"); result.push(tip());
            fire(td, "mouseout"); fire(byId("tip"), "mouseenter"); await wait(400); result.push(tip() !== null);
            fire(byId("tip"), "mouseleave"); await wait(400); result.push(tip());
            fire(td, "mouseover"); press("Escape"); result.push(tip());
            return result""")
        assert result == [["django 3.2.25", "reports", "direct, from django>=1 (pyproject.toml:7)"], True, None, None]

    def test_all_reasons_are_shown(self, run_script):
        pins = [pin("a", "django", "1"), pin("b", "django", "2")]
        pins.append(Pin(application="a", name="django", version="1", declared="x (y:1)", through=("forms",)))
        document = render_page(find_conflicts(pins, {}), title="Two reasons")
        assert run_script('cell("django", "a").focus(); return tip().slice(2)', document=document) == [
            "direct, from django>=1 (pyproject.toml:7)",
            "via forms, from x (y:1)",
        ]

    def test_arrow_keys_move_between_cells_and_one_cell_is_in_the_tab_order(self, run_script):
        result = run_script("""
            const focused = () => document.activeElement;
            const place = () => [focused().parentNode.rowIndex - 1, focused().cellIndex - 3];
            const result = [];
            document.querySelector('#rows td[tabindex="0"]').focus(); result.push(place());
            const keys = ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowUp", "End",
                "ArrowRight", "PageDown", "ArrowDown", "Home", "ArrowLeft"];
            for (const key of keys) { press(key); result.push(place()); }
            press("End", { ctrlKey: true }); result.push(place());
            press("Home", { ctrlKey: true }); result.push(place());
            press("ArrowDown");
            return [result, all('#rows [tabindex="0"]').map((element) => element === document.activeElement)]""")
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
        assert [tuple(place) for place in result[0]] == [*places, (5, 5), (0, 0)]
        assert result[1] == [True]

    def test_hostile_names_are_text(self, run_script):
        pins = [
            Pin(application=f"{text}{number}", name=text, version=f"{number}{text}", declared=text, through=(text,))
            for text in NASTY
            for number in range(2)
        ]
        document = render_page(find_conflicts(pins, {f"{HOSTILE}0": HOSTILE}), title=HOSTILE)
        result = run_script(
            """document.querySelector("#rows td.v0").focus();
            return [rows(), all("img").length, document.title, byId("title").textContent, tip().length]""",
            document=document,
        )
        assert result == [sorted(map(printable, NASTY)), 0, HOSTILE, HOSTILE, 3]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_contrast_suffices_in_light_and_dark_and_versions_differ_in_more_than_color(self, run_script, scheme):
        result = run_script(
            CONTRAST,
            f"--blink-settings=preferredColorScheme={int(scheme == 'light')}",
            document=render_page(many(10), title="X"),
        )
        assert result["dark"] is (scheme == "dark")
        assert len(set(result["colors"])) == 8
        assert min(result["contrasts"]) > 7
        assert min(result["quiet"]) > 4.5
        assert len(set(result["texts"])) == 10

    @pytest.mark.parametrize("width", [320, 360, 800])
    def test_only_the_table_is_wider_than_a_phone(self, run_script, width):
        result = run_script(
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
        assert result["width"] == width
        assert result["body"] <= width
        assert result["tip"][0] >= 0
        assert result["tip"][1] <= width
        assert result["table"] is True
        assert result["scrolled"] > 0
        assert result["sticky"] <= 1
        assert result["name"] < width / 2
        assert result["cell"] == [True, True]

    def test_the_header_stays_visible_while_rows_scroll(self, run_script):
        result = run_script(
            """byId("frame").scrollTop = 1000;
            const frame = byId("frame").getBoundingClientRect();
            return [byId("frame").scrollTop, all("#heads th")[3].getBoundingClientRect().top - frame.top]""",
            document=render_page(many(4, packages=100), title="Long"),
        )
        assert result[0] > 500
        assert result[1] <= 1

    def test_a_thousand_applications_are_paged(self, run_script):
        result = run_script(
            """document.querySelector("[data-sort=name]").click();
            const next = (id) => [...byId(id).querySelectorAll("button")]
                .find((button) => button.textContent === "Next");
            const result = [byId("columns").innerText, byId("pages").innerText, all("#rows td").length];
            next("columns").click(); next("pages").click();
            result.push(byId("columns").innerText, rows()[0], document.activeElement.textContent);
            result.push(byId("groups").children.length);
            type("a0777"); result.push(heads(), byId("columns").hidden);
            return result""",
            document=render_page(many(1000, packages=300, each=40), title="Many"),
        )
        assert "Applications 1 to 40 of 1,000" in result[0]
        assert "Packages 1 to 100 of 300" in result[1]
        assert result[2] == 100 * 42
        assert "Applications 41 to 80 of 1,000" in result[3]
        assert result[4:9] == ["p100", "Next", 25, ["a0777"], True]


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
