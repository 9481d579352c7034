"""The report in a real browser: no request, no error, switches, keyboard, accessibility."""

import json
import shutil

import pytest

from builders.needs import need
from builders.places import ROOT
from forwardbench.outputs import report
from forwardbench.outputs.text import write_text

AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def chromium():
    """A browser without a window."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    need("" if path else "Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def times(ladder):
    """The ladder, with a hostile name and a contender that broke."""
    ladder["<b onclick=alert(1)>bold</b>"] = {
        case: [2 * seconds for seconds in row] for case, row in ladder["matmul"].items()
    }
    ladder["broken"] = {"4x4-4": ["ValueError: <i>no</i>", None, None]}
    return ladder


@pytest.fixture
def open_page(chromium, make_bundle, times, tmp_path):
    """Open the report of a run at a width and in a colour scheme."""
    opened = []

    def open_it(width=1280, scheme="light"):
        whole = make_bundle(times, name=f"run{len(opened)}")
        whole.warnings = ["Busy: <u>end</u> them"]
        path = tmp_path / f"report{len(opened)}.html"
        write_text(path, report.make_page(whole))
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        page = context.new_page()
        page.errors, page.requests = [], []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda message: page.errors.append(message.text))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(path.as_uri())
        opened.append((context, page, path))
        return page

    yield open_it
    for context, page, path in opened:
        assert page.errors == []
        assert page.requests == [path.as_uri()]
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_opens_at_every_width_without_a_request(open_page, width, scheme):
    """No error, no request but the page itself, and nothing to scroll sideways for."""
    page = open_page(width, scheme)
    page.screenshot(full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(26, 28, 32)")


def test_colours_can_be_chosen_against_the_system(open_page):
    """The page's own switch wins over the system's."""
    page = open_page(scheme="dark")
    page.select_option("#theme", "light")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.select_option("#theme", "dark")
    assert page.evaluate(ground) == "rgb(26, 28, 32)"


def test_a_series_can_be_switched_off_and_on(open_page):
    """Its line, label, marks and rows go, others stay, and all come back."""
    page = open_page()
    switch = page.get_by_label("ndarray_loops", exact=True)
    number = switch.get_attribute("data-switches")
    parts = page.locator(f"[data-series='{number}']:visible")
    others = page.locator(f"[data-series]:not([data-series='{number}']):visible")
    before, beside = parts.count(), others.count()
    assert before > 20
    switch.uncheck()
    assert (parts.count(), others.count()) == (0, beside)
    assert page.locator("#cells tbody tr:visible", has_text="ndarray_loops").count() == 0
    switch.check()
    assert parts.count() == before


def test_the_scale_can_be_linear(open_page):
    """One of the two pictures of each such chart is shown."""
    page = open_page()
    linear, logarithmic = page.locator(".linear:visible"), page.locator(".logarithmic:visible")
    assert (linear.count(), logarithmic.count()) == (0, 3)
    page.get_by_label("linear", exact=True).check()
    assert (linear.count(), logarithmic.count()) == (3, 0)


def test_the_keyboard_reaches_every_value_of_a_panel(open_page):
    """Tab to a panel, then arrows along the series and from series to series."""
    page = open_page()
    page.get_by_label("linear", exact=True).focus()
    page.keyboard.press("Tab")  # the choice of colours
    assert page.evaluate("document.activeElement.id") == "theme"
    page.keyboard.press("Tab")
    readout = page.locator("figure").first.locator(".readout")

    def press(key):
        """Name and case of the mark that a key leads to; the line below says the same."""
        page.keyboard.press(key)
        said = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert readout.inner_text() == said
        return tuple(said.split(",")[0].rsplit(" at ", 1))

    name, first = press("Home")
    assert first == "1x1-1"
    along = [press("ArrowRight") for _ in range(3)]
    assert along == [(name, case) for case in ("4x4-4", "16x16-16", "64x64-64")]
    assert press("ArrowLeft") == (name, "16x16-16")
    column = [press(key) for key in ["ArrowUp"] * 4 + ["ArrowDown"] * 4]
    assert {case for _, case in column} == {"16x16-16"}
    assert len({other for other, _ in column}) > 2
    last = press("End")
    assert last == press("ArrowRight")  # there is nothing beyond
    stops = page.locator(".panel .point[tabindex='0']").count()
    assert stops == page.locator(".panel").count()


def test_switching_off_a_series_leaves_its_panel_reachable(open_page):
    """The stop of the Tab key moves to a mark that is there."""
    page = open_page()
    for switch in page.locator("input[data-switches]").all()[:-1]:
        switch.uncheck()
    hidden = page.locator(".panel .point.off[tabindex='0']")
    assert hidden.count() == 0


def test_the_mouse_reads_the_nearest_value(open_page):
    """Near a mark is near enough; far from all the last value stays."""
    page = open_page()
    figure = page.locator("figure").first
    point = figure.locator(".point").nth(3)
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2 + 3)
    assert figure.locator(".readout").inner_text() == point.get_attribute("aria-label")
    assert figure.locator(".point.near").count() == 1


def test_the_table_sorts_by_value_both_ways_with_the_unknown_last(open_page):
    """Times sort as numbers, not as texts; a second click turns the order round."""
    page = open_page()
    head = page.locator("#cells th", has_text="time")
    column = "[...document.querySelectorAll('#cells tbody tr')].map(r => r.cells[6].dataset.value)"
    for order in ("ascending", "descending"):
        head.get_by_role("button").click()
        assert head.get_attribute("aria-sort") == order
        values = page.evaluate(column)
        known = [float(value) for value in values if value]
        assert known == sorted(known, reverse=order == "descending")
        assert values[len(known) :] == [""]


def test_the_table_filters_and_copies_what_is_shown(open_page):
    """CSV and Markdown hold the head and the rows that match, nothing else."""
    page = open_page()
    page.fill("#filter", "matmul")
    rows = page.locator("#cells tbody tr:visible").count()
    total = page.locator("#cells tbody tr").count()
    assert page.inner_text("#count") == f"{rows} of {total} rows"
    assert 0 < rows < total
    page.get_by_role("button", name="Copy as CSV").click()
    page.wait_for_function("document.getElementById('said').textContent !== ''")
    lines = page.input_value("#copied").splitlines()
    assert lines[0].startswith("sweep,case,dtype,threads,implementation,status,time,")
    assert len(lines) == rows + 1
    assert all("matmul" in line for line in lines[1:])
    page.fill("#filter", "onclick")
    page.get_by_role("button", name="Copy as Markdown").click()
    lines = page.input_value("#copied").splitlines()
    assert lines[1].startswith("| --- | --- |")
    assert all(r"&lt;b onclick=alert(1)\>bold" in line for line in lines[2:])
    assert len({line.count(" | ") for line in lines}) == 1


def test_copied_names_stay_text(open_page, times):
    """A name is no formula of a spreadsheet and no mark-up of Markdown; numbers are left alone."""
    times["=1+1 | `x` [a](b)"] = {"4x4-4": [1e-6] * 3}
    page = open_page()
    page.fill("#filter", "=1+1")
    page.get_by_role("button", name="Copy as CSV").click()
    (line,) = page.input_value("#copied").splitlines()[1:]
    assert line.startswith(
        "square,4x4-4,float64,1,'=1+1 | `x` [a](b),measured,1.0000000000000004e-06,"
    )
    page.get_by_role("button", name="Copy as Markdown").click()
    line = page.input_value("#copied").splitlines()[2]
    assert r"| =1+1 \| \`x\` \[a\](b) | measured | 1.00 us |" in line


def test_what_was_copied_is_on_the_clipboard(open_page):
    """The same text as is shown."""
    page = open_page()
    page.get_by_role("button", name="Copy as CSV").click()
    page.wait_for_function("document.getElementById('said').textContent !== ''")
    assert page.inner_text("#said").startswith("Copied ")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines() == page.input_value("#copied").splitlines()


def test_hostile_text_is_shown_as_it_is(open_page):
    """No element is made of it."""
    page = open_page()
    assert page.locator("main b, main i, main u, [onclick]").count() == 0
    assert page.get_by_text("Busy: <u>end</u> them").count() == 1
    assert page.get_by_text("<i>no</i>").count() > 0


def test_it_reads_without_script(chromium, open_page, tmp_path):
    """Charts, table and downloads are there; switches, which need it, are not shown."""
    open_page()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "report0.html").as_uri())
    assert page.locator(".panel:visible").count() > 4
    assert page.locator("#cells tbody tr:visible").count() > 10
    assert page.locator(".needs-script:visible").count() == 0
    context.close()


def test_it_prints_in_light_colours_without_controls(open_page):
    """Even from a dark page; and the printed pages are there."""
    page = open_page(scheme="dark")
    page.emulate_media(media="print")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert page.locator(".controls:visible, .tools:visible, .readout:visible").count() == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_rules_hold(open_page, width, scheme):
    """axe-core finds nothing: names, roles, contrast, order, regions."""
    need("" if AXE.exists() else "no axe-core: npm install --prefix tests/browser")
    page = open_page(width, scheme)
    page.evaluate(AXE.read_text())  # a script tag would be stopped by the page's own policy
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    said = [
        (each["id"], [node["html"][:200] for node in each["nodes"][:3]])
        for each in found["violations"]
    ]
    assert said == [], json.dumps(said, indent=1)


def test_the_linear_picture_keeps_the_place_of_the_other(open_page):
    """Panels stay as wide, side by side as before."""
    page = open_page()
    width = "[...document.querySelectorAll('figure .{} .panel')][0].getBoundingClientRect().width"
    before = page.evaluate(width.format("logarithmic"))
    page.get_by_label("linear", exact=True).check()
    assert page.evaluate(width.format("linear")) == before


def test_controls_do_not_stand_in_the_way_on_a_phone(open_page):
    """They stay at hand on a wide page, and scroll away on a narrow one."""
    position = "getComputedStyle(document.querySelector('.controls')).position"
    assert open_page(1280).evaluate(position) == "sticky"
    assert open_page(360).evaluate(position) == "static"
